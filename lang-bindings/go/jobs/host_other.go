//go:build !wasip1

package jobs

import "lambkin.dev/go/internal/capability"

func start(string, []byte) (string, error) {
	return "", capability.Outside("lambkin.dev/go/jobs")
}
