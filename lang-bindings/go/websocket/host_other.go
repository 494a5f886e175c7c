//go:build !wasip1

package websocket

import "lambkin.dev/go/internal/capability"

var errOutside = capability.Outside("lambkin.dev/go/websocket")

func send(string, []byte) error       { return errOutside }
func closeConnection(string) error    { return errOutside }
func info(string) (Connection, error) { return Connection{}, errOutside }
