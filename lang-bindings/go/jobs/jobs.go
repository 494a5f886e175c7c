// Package jobs starts components of the app that go on after the answer. A component may start those that
// `jobs = ["…"]` in its manifest's grants names; Lambda runs them asynchronously.
package jobs

import (
	"encoding/json"

	"lambkin.dev/go/internal/capability"
)

// Error is a job that was not started.
type Error = capability.Error

// What errors.Is tells apart.
var (
	NotGranted   = &Error{Code: "not-granted"}
	InvalidEvent = &Error{Code: "invalid-event"}
	TooLarge     = &Error{Code: "too-large"}
	Throttled    = &Error{Code: "throttled"}
	Failed       = &Error{Code: "failed"}
)

// Start starts a component with an event, anything that has a JSON form, and gives the job's id: the request id of its
// invocation.
func Start(component string, event any) (string, error) {
	text, err := json.Marshal(event)
	if err != nil {
		return "", &Error{Code: "invalid-event", Message: err.Error()}
	}
	return start(component, text)
}
