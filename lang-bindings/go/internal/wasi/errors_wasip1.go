//go:build go1.24

package wasi

import (
	"fmt"
	"unsafe"

	"lambkin.dev/go/internal/abi"
)

// errorCodes are the cases of `wasi:http/types.error-code`, in order.
var errorCodes = [...]string{
	"DNS-timeout",
	"DNS-error",
	"destination-not-found",
	"destination-unavailable",
	"destination-IP-prohibited",
	"destination-IP-unroutable",
	"connection-refused",
	"connection-terminated",
	"connection-timeout",
	"connection-read-timeout",
	"connection-write-timeout",
	"connection-limit-reached",
	"TLS-protocol-error",
	"TLS-certificate-error",
	"TLS-alert-received",
	"HTTP-request-denied",
	"HTTP-request-length-required",
	"HTTP-request-body-size",
	"HTTP-request-method-invalid",
	"HTTP-request-URI-invalid",
	"HTTP-request-URI-too-long",
	"HTTP-request-header-section-size",
	"HTTP-request-header-size",
	"HTTP-request-trailer-section-size",
	"HTTP-request-trailer-size",
	"HTTP-response-incomplete",
	"HTTP-response-header-section-size",
	"HTTP-response-header-size",
	"HTTP-response-body-size",
	"HTTP-response-trailer-section-size",
	"HTTP-response-trailer-size",
	"HTTP-response-transfer-coding",
	"HTTP-response-content-coding",
	"HTTP-response-timeout",
	"HTTP-upgrade-failed",
	"HTTP-protocol-error",
	"loop-detected",
	"configuration-error",
	"internal-error",
}

// InternalError is the index of `internal-error`, the last of the codes.
const InternalError = uint32(len(errorCodes) - 1)

// ErrorCode is a `wasi:http/types.error-code` as it lies in memory.
type ErrorCode struct {
	code uint8
	_    [7]uint8
	// The payload of `internal-error`; other cases have other payloads, none longer.
	message abi.Option
	_       [12]uint8
}

// ErrorCodeResult is a `result<_, error-code>`, or a `result<resource, error-code>`.
type ErrorCodeResult struct {
	failed uint8
	_      [7]uint8
	error  ErrorCode
}

// Resource is the resource of a result that has not failed.
func (result *ErrorCodeResult) Resource() uint32 {
	return *(*uint32)(unsafe.Pointer(&result.error))
}

// Err is nil unless the result is an error.
func (result *ErrorCodeResult) Err() error {
	if result.failed == 0 {
		return nil
	}
	defer abi.Received()
	if uint32(result.error.code) == InternalError && result.error.message.Present != 0 {
		return fmt.Errorf("wasi:http %s: %s", errorCodes[result.error.code], result.error.message)
	}
	return fmt.Errorf("wasi:http %s", errorCodes[result.error.code])
}
