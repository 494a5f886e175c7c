// Package websocket reaches the clients of the app's WebSocket API: a component that its manifest grants `websocket = true`
// may send to them in any invocation.
//
//	if err := websocket.Send(id, []byte(`{"state": "done"}`)); err != nil && !errors.Is(err, websocket.Gone) {
//		return err
//	}
package websocket

import (
	"time"

	"lambkin.dev/go/internal/capability"
)

// Error is a call that was not done.
type Error = capability.Error

// What errors.Is tells apart.
var (
	NotGranted = &Error{Code: "not-granted"}
	// Gone says that the client has left.
	Gone      = &Error{Code: "gone"}
	TooLarge  = &Error{Code: "too-large"}
	Throttled = &Error{Code: "throttled"}
	Failed    = &Error{Code: "failed"}
)

// Connection is what API Gateway knows of a client.
type Connection struct {
	ConnectedAt  time.Time
	LastActiveAt time.Time
	SourceIP     string
	// UserAgent is empty when the client named none.
	UserAgent string
}

// Send sends a message of at most 128 KiB, which arrives as text.
func Send(connectionID string, message []byte) error { return send(connectionID, message) }

// Close closes a connection; its `$disconnect` route is called.
func Close(connectionID string) error { return closeConnection(connectionID) }

// Info tells when a connection was opened and last used, and by whom.
func Info(connectionID string) (Connection, error) { return info(connectionID) }
