//go:build go1.24

// Package wasi holds what web handlers and outgoing requests share of WASI 0.2: the imported functions, byte streams,
// header fields, error codes and waiting.
//
// The imports are written by hand from wit/deps, each with the flat parameters and the result area that the canonical
// ABI gives it; `lambkin build` checks every one against the WIT.
package wasi

import "unsafe"

// An owned handle of a resource in the component's handle table.
type handle = uint32

// Where an import writes a result of more than one flat value.
type area = unsafe.Pointer

//go:wasmimport wasi:http/types@0.2.12 [static]fields.from-list
func fieldsFromList(entries unsafe.Pointer, length uint32, result area)

//go:wasmimport wasi:http/types@0.2.12 [method]fields.entries
func fieldsEntries(fields handle, result area)

//go:wasmimport wasi:http/types@0.2.12 [resource-drop]fields
func fieldsDrop(fields handle)

//go:wasmimport wasi:http/types@0.2.12 [method]incoming-body.stream
func incomingBodyStream(body handle, result area)

//go:wasmimport wasi:http/types@0.2.12 [resource-drop]incoming-body
func incomingBodyDrop(body handle)

//go:wasmimport wasi:http/types@0.2.12 [method]outgoing-body.write
func outgoingBodyWrite(body handle, result area)

//go:wasmimport wasi:http/types@0.2.12 [static]outgoing-body.finish
func outgoingBodyFinish(body handle, hasTrailers uint32, trailers handle, result area)

//go:wasmimport wasi:http/types@0.2.12 [resource-drop]outgoing-body
func outgoingBodyDrop(body handle)

//go:wasmimport wasi:io/streams@0.2.12 [method]input-stream.read
func inputStreamRead(stream handle, length uint64, result area)

//go:wasmimport wasi:io/streams@0.2.12 [method]input-stream.subscribe
func inputStreamSubscribe(stream handle) handle

//go:wasmimport wasi:io/streams@0.2.12 [resource-drop]input-stream
func inputStreamDrop(stream handle)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.check-write
func outputStreamCheckWrite(stream handle, result area)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.write
func outputStreamWrite(stream handle, contents unsafe.Pointer, length uint32, result area)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.flush
func outputStreamFlush(stream handle, result area)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.subscribe
func outputStreamSubscribe(stream handle) handle

//go:wasmimport wasi:io/streams@0.2.12 [resource-drop]output-stream
func outputStreamDrop(stream handle)

//go:wasmimport wasi:io/error@0.2.12 [method]error.to-debug-string
func errorToDebugString(failure handle, result area)

//go:wasmimport wasi:io/error@0.2.12 [resource-drop]error
func errorDrop(failure handle)

//go:wasmimport wasi:io/poll@0.2.12 poll
func poll(pollables unsafe.Pointer, length uint32, result area)

//go:wasmimport wasi:io/poll@0.2.12 [method]pollable.ready
func pollableReady(pollable handle) uint32

//go:wasmimport wasi:io/poll@0.2.12 [resource-drop]pollable
func pollableDrop(pollable handle)

//go:wasmimport wasi:clocks/monotonic-clock@0.2.12 subscribe-duration
func subscribeDuration(nanoseconds uint64) handle
