//go:build go1.24

// Package program runs the user's main function, unchanged, inside a component that the host calls.
package program

import (
	"errors"
	_ "unsafe" // for go:linkname
)

//go:linkname userMain main.main
func userMain()

var (
	registered = make(chan struct{}, 1)
	returned   = make(chan struct{})
	started    bool
)

// Register tells that the program has handed over its handler. It blocks for ever, as the call it stands in for does.
func Register() {
	registered <- struct{}{}
	select {}
}

// Start runs main on its first call and waits until it has registered its handler. The error says that main returned
// without one.
func Start(missing string) error {
	if started {
		return nil
	}
	go func() {
		userMain()
		close(returned)
	}()
	select {
	case <-registered:
		started = true
		return nil
	case <-returned:
		return errors.New("main returned without a call of " + missing)
	}
}
