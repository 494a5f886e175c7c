//go:build go1.24

package wasi

import (
	"context"
	"runtime"
	"slices"
	"time"
	"unsafe"

	"lambkin.dev/go/internal/abi"
)

// longestPoll bounds how long one poll holds up goroutines that wait for a Go timer: the host knows nothing of those.
const longestPoll = 5 * time.Millisecond

// waiting is what goroutines wait for, at once: whoever gets to poll, polls for all.
var waiting []handle

// Wait lets other goroutines run until pollable is ready or ctx is done, and drops pollable.
func Wait(ctx context.Context, pollable handle) error {
	waiting = append(waiting, pollable)
	defer func() {
		waiting = slices.DeleteFunc(waiting, func(other handle) bool { return other == pollable })
		pollableDrop(pollable)
	}()
	for {
		runtime.Gosched()
		if pollableReady(pollable) != 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		pollAll()
	}
}

func pollAll() {
	timer := subscribeDuration(uint64(longestPoll))
	pollables := append(slices.Clone(waiting), timer)
	var ready abi.List
	poll(unsafe.Pointer(&pollables[0]), uint32(len(pollables)), unsafe.Pointer(&ready))
	abi.Received()
	pollableDrop(timer)
}
