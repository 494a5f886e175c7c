//go:build go1.24

package wasi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"unsafe"

	"lambkin.dev/go/internal/abi"
)

// `result<_, stream-error>`; `stream-error` is last-operation-failed(error) or closed.
type streamResult struct {
	failed uint8
	_      [3]uint8
	error  streamError
}

type streamError struct {
	closed uint8
	_      [3]uint8
	cause  handle
}

// ResourceResult is a `result<resource>`, and a `result<resource, E>` where E is an enumeration.
type ResourceResult struct {
	failed   uint8
	_        [3]uint8
	Resource uint32
}

// IncomingBody reads a request's or a response's body as it arrives.
type IncomingBody struct {
	ctx    context.Context
	body   handle
	stream handle
	open   bool
	// ended is what every later Read returns.
	ended error
}

// NewIncomingBody takes ownership of an `incoming-body`.
func NewIncomingBody(ctx context.Context, body uint32) *IncomingBody {
	var stream ResourceResult
	incomingBodyStream(body, unsafe.Pointer(&stream))
	return &IncomingBody{ctx: ctx, body: body, stream: stream.Resource, open: true}
}

// Read waits for bytes and lets other goroutines run meanwhile.
func (body *IncomingBody) Read(into []byte) (int, error) {
	for {
		if !body.open {
			return 0, http.ErrBodyReadAfterClose
		}
		if body.ended != nil || len(into) == 0 {
			return 0, body.ended
		}
		count, err := body.readReady(into)
		if err != nil {
			body.ended = err
			return 0, err
		}
		if count > 0 {
			return count, nil
		}
		if err := Wait(body.ctx, inputStreamSubscribe(body.stream)); err != nil {
			return 0, err
		}
	}
}

// readReady reads what is there, which may be nothing.
func (body *IncomingBody) readReady(into []byte) (int, error) {
	var result struct {
		failed uint8
		_      [3]uint8
		// The bytes' list, or a streamError.
		value abi.List
	}
	abi.ReceiveInto(into)
	inputStreamRead(body.stream, uint64(len(into)), unsafe.Pointer(&result))
	abi.ReceiveInto(nil)
	if result.failed != 0 {
		return 0, (*streamError)(unsafe.Pointer(&result.value)).take()
	}
	read := abi.Slice[byte](result.value)
	if len(read) > 0 && &read[0] != &into[0] {
		copy(into, read)
	}
	abi.Received()
	return len(read), nil
}

// Close gives up what has not been read.
func (body *IncomingBody) Close() error {
	if body.open {
		body.open = false
		inputStreamDrop(body.stream)
		incomingBodyDrop(body.body)
	}
	return nil
}

// OutgoingBody writes a response's or a request's body.
type OutgoingBody struct {
	ctx    context.Context
	body   handle
	stream handle
}

// NewOutgoingBody takes ownership of an `outgoing-body`.
func NewOutgoingBody(ctx context.Context, body uint32) *OutgoingBody {
	var stream ResourceResult
	outgoingBodyWrite(body, unsafe.Pointer(&stream))
	return &OutgoingBody{ctx: ctx, body: body, stream: stream.Resource}
}

// Write hands all of contents to the host and waits where the host asks to.
func (body *OutgoingBody) Write(contents []byte) (int, error) {
	written := 0
	for written < len(contents) {
		permitted, err := body.permitted()
		if err != nil {
			return written, err
		}
		if permitted == 0 {
			if err := Wait(body.ctx, outputStreamSubscribe(body.stream)); err != nil {
				return written, err
			}
			continue
		}
		part := contents[written:min(uint64(len(contents)), uint64(written)+permitted)]
		var result streamResult
		outputStreamWrite(body.stream, unsafe.Pointer(&part[0]), uint32(len(part)), unsafe.Pointer(&result))
		if result.failed != 0 {
			return written, result.error.take()
		}
		written += len(part)
	}
	return written, nil
}

// permitted is how many bytes the host takes now.
func (body *OutgoingBody) permitted() (uint64, error) {
	var result struct {
		failed uint8
		_      [7]uint8
		// The count, or a streamError.
		value uint64
	}
	outputStreamCheckWrite(body.stream, unsafe.Pointer(&result))
	if result.failed != 0 {
		return 0, (*streamError)(unsafe.Pointer(&result.value)).take()
	}
	return result.value, nil
}

// Flush asks the host to send on what it holds.
func (body *OutgoingBody) Flush() error {
	var result streamResult
	outputStreamFlush(body.stream, unsafe.Pointer(&result))
	if result.failed != 0 {
		return result.error.take()
	}
	return nil
}

// Finish ends the body as complete, with trailers if there are any.
func (body *OutgoingBody) Finish(trailers http.Header) error {
	outputStreamDrop(body.stream)
	var has, fields uint32
	if len(trailers) > 0 {
		lowered, err := LowerFields(trailers)
		if err != nil {
			outgoingBodyDrop(body.body)
			return err
		}
		has, fields = 1, lowered
	}
	var result ErrorCodeResult
	outgoingBodyFinish(body.body, has, fields, unsafe.Pointer(&result))
	return result.Err()
}

// Abort ends the body as incomplete.
func (body *OutgoingBody) Abort() {
	outputStreamDrop(body.stream)
	outgoingBodyDrop(body.body)
}

// take is io.EOF for a closed stream, else the error with the host's text.
func (failure *streamError) take() error {
	if failure.closed != 0 {
		return io.EOF
	}
	var text abi.List
	errorToDebugString(failure.cause, unsafe.Pointer(&text))
	message := text.String()
	abi.Received()
	errorDrop(failure.cause)
	return errors.New(message)
}
