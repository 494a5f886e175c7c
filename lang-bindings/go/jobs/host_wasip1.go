//go:build go1.24

package jobs

import (
	"runtime"
	"unsafe"

	"lambkin.dev/go/internal/abi"
	"lambkin.dev/go/internal/capability"
)

//go:wasmimport lambkin:jobs/jobs@0.1.0 start
func hostStart(component, componentLength, event, eventLength uint32, result unsafe.Pointer)

// The order is that of the contract's `enum error-code`.
var codes = []string{"not-granted", "invalid-event", "too-large", "throttled", "failed"}

func start(component string, event []byte) (string, error) {
	var result capability.Text
	name, text := abi.FromString(component), abi.FromSlice(event)
	hostStart(name.Pointer, name.Length, text.Pointer, text.Length, unsafe.Pointer(&result))
	runtime.KeepAlive(component)
	runtime.KeepAlive(event)
	return result.Take(codes)
}
