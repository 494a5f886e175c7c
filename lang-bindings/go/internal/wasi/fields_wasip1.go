//go:build go1.24

package wasi

import (
	"fmt"
	"net/http"
	"runtime"
	"unsafe"

	"lambkin.dev/go/internal/abi"
)

// connectionFields belong to a connection, which is the host's: `wasi:http` forbids a guest to set them.
var connectionFields = map[string]bool{
	"Connection":        true,
	"Host":              true,
	"Http2-Settings":    true,
	"Keep-Alive":        true,
	"Proxy-Connection":  true,
	"Transfer-Encoding": true,
	"Upgrade":           true,
}

// LiftFields takes ownership of a `fields` and returns what is in it.
func LiftFields(fields uint32) http.Header {
	var entries abi.List
	fieldsEntries(fields, unsafe.Pointer(&entries))
	header := make(http.Header, entries.Length)
	for _, entry := range abi.Slice[abi.Pair](entries) {
		header.Add(entry.First.String(), entry.Second.String())
	}
	abi.Received()
	fieldsDrop(fields)
	return header
}

// LowerFields makes a `fields` of header, without those that only the host may set.
func LowerFields(header http.Header) (uint32, error) {
	entries := make([]abi.Pair, 0, len(header))
	for name, values := range header {
		if connectionFields[name] {
			continue
		}
		for _, value := range values {
			entries = append(entries, abi.Pair{First: abi.FromString(name), Second: abi.FromString(value)})
		}
	}
	var result ResourceResult
	fieldsFromList(unsafe.Pointer(unsafe.SliceData(entries)), uint32(len(entries)), unsafe.Pointer(&result))
	runtime.KeepAlive(header)
	if result.failed != 0 {
		return 0, fmt.Errorf("the host refused the header fields %v: %s", header, headerErrors[result.Resource&0xff])
	}
	return result.Resource, nil
}

// The cases of `header-error`; 0.2.12 has three.
var headerErrors = [...]string{"invalid syntax", "forbidden", "immutable"}

// Methods are the cases of `wasi:http/types.method` before `other`, in order.
var Methods = [...]string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}
