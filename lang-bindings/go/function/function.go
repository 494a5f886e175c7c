//go:build go1.24

// Package function makes a Go program a Lambkin function component: it exports `lambkin:function/handler` and calls the
// handler that the program registered.
package function

import "time"

// Invocation is what Lambda and Lambkin tell about one invocation: `lambkin:function/types.context`.
type Invocation struct {
	RequestID     string
	Deadline      time.Time
	TraceID       string
	App           string
	Alias         string
	Release       string
	Component     string
	Tenant        string
	Function      Lambda
	ClientContext string
	Identity      string
	Environment   [][2]string
}

// Lambda is what Lambda says of the function that the host runs in.
type Lambda struct {
	Name       string
	Version    string
	InvokedARN string
	MemoryMB   uint32
	LogGroup   string
	LogStream  string
}

// Handler answers one event; event and answer are JSON texts. It recovers its panics.
type Handler func(event []byte, invocation *Invocation) ([]byte, *Error)

// Error is a failed invocation, in the shape of Lambda's own error object.
type Error struct {
	Type    string
	Message string
	// Stack has one frame a line, innermost first.
	Stack []string
}
