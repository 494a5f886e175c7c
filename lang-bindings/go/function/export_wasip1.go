//go:build go1.24

package function

import (
	"os"
	"time"
	"unsafe"

	"lambkin.dev/go/internal/abi"
	"lambkin.dev/go/internal/program"
)

// The parameters of `handle`, as they lie in memory: there are too many to be passed one by one.
type arguments struct {
	event         abi.List
	requestID     abi.List
	deadline      uint64
	traceID       abi.Option
	app           abi.List
	alias         abi.List
	release       abi.List
	component     abi.List
	tenant        abi.Option
	name          abi.List
	version       abi.List
	invokedARN    abi.List
	memoryMB      uint32
	logGroup      abi.List
	logStream     abi.List
	clientContext abi.Option
	identity      abi.Option
	environment   abi.List
}

// `result<string, function-error>`: the answer lies where the error's type does.
type result struct {
	failed  uint8
	_       [3]uint8
	first   abi.List
	message abi.List
	stack   abi.List
}

var (
	handler Handler
	// What the host reads after `handle` has returned, kept until it says that it has.
	returned struct {
		result result
		answer []byte
		error  *Error
		frames []abi.List
	}
)

// Serve registers the program's handler and blocks for ever.
func Serve(serve Handler) {
	handler = serve
	program.Register()
}

//go:wasmexport lambkin:function/handler@0.1.0#handle
func handle(parameters *uint64) unsafe.Pointer {
	event, invocation := lift((*arguments)(unsafe.Pointer(parameters)))
	abi.Received()
	invocation.export()
	if err := program.Start("lambda.Start"); err != nil {
		return lower(nil, &Error{Type: "Runtime.NoHandler", Message: err.Error()})
	}
	return lower(handler(event, invocation))
}

//go:wasmexport cabi_post_lambkin:function/handler@0.1.0#handle
func handled(unsafe.Pointer) {
	returned.answer, returned.error, returned.frames = nil, nil, nil
}

func lift(from *arguments) ([]byte, *Invocation) {
	pairs := abi.Slice[abi.Pair](from.environment)
	environment := make([][2]string, len(pairs))
	for index, pair := range pairs {
		environment[index] = [2]string{pair.First.String(), pair.Second.String()}
	}
	return abi.Slice[byte](from.event), &Invocation{
		RequestID: from.requestID.String(),
		Deadline:  time.UnixMilli(int64(from.deadline)),
		TraceID:   from.traceID.String(),
		App:       from.app.String(),
		Alias:     from.alias.String(),
		Release:   from.release.String(),
		Component: from.component.String(),
		Tenant:    from.tenant.String(),
		Function: Lambda{
			Name:       from.name.String(),
			Version:    from.version.String(),
			InvokedARN: from.invokedARN.String(),
			MemoryMB:   from.memoryMB,
			LogGroup:   from.logGroup.String(),
			LogStream:  from.logStream.String(),
		},
		ClientContext: from.clientContext.String(),
		Identity:      from.identity.String(),
		Environment:   environment,
	}
}

// export puts the manifest's environment into the process's own, where os.Getenv finds it.
func (invocation *Invocation) export() {
	for _, pair := range invocation.Environment {
		if os.Getenv(pair[0]) != pair[1] {
			os.Setenv(pair[0], pair[1])
		}
	}
}

func lower(answer []byte, failure *Error) unsafe.Pointer {
	returned.answer, returned.error = answer, failure
	if failure == nil {
		returned.result = result{first: abi.FromSlice(answer)}
		return unsafe.Pointer(&returned.result)
	}
	for _, frame := range failure.Stack {
		returned.frames = append(returned.frames, abi.FromString(frame))
	}
	returned.result = result{
		failed:  1,
		first:   abi.FromString(failure.Type),
		message: abi.FromString(failure.Message),
		stack:   abi.FromSlice(returned.frames),
	}
	return unsafe.Pointer(&returned.result)
}
