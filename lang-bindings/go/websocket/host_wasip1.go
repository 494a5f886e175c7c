//go:build go1.24

package websocket

import (
	"runtime"
	"time"
	"unsafe"

	"lambkin.dev/go/internal/abi"
	"lambkin.dev/go/internal/capability"
)

//go:wasmimport lambkin:websocket/connections@0.1.0 send
func hostSend(connection, connectionLength, message, messageLength uint32, result unsafe.Pointer)

//go:wasmimport lambkin:websocket/connections@0.1.0 close
func hostClose(connection, connectionLength uint32, result unsafe.Pointer)

//go:wasmimport lambkin:websocket/connections@0.1.0 info
func hostInfo(connection, connectionLength uint32, result unsafe.Pointer)

// The order is that of the contract's `enum error-code`.
var codes = []string{"not-granted", "gone", "too-large", "throttled", "failed"}

// `result<connection, error>`: the failure lies where the connection does.
type described struct {
	failed       uint8
	_            [7]uint8
	connectedAt  uint64
	lastActiveAt uint64
	sourceIP     abi.List
	userAgent    abi.Option
	_            uint32
}

func send(connectionID string, message []byte) error {
	var result capability.Nothing
	id, data := abi.FromString(connectionID), abi.FromSlice(message)
	hostSend(id.Pointer, id.Length, data.Pointer, data.Length, unsafe.Pointer(&result))
	runtime.KeepAlive(message)
	runtime.KeepAlive(connectionID)
	return result.Take(codes)
}

func closeConnection(connectionID string) error {
	var result capability.Nothing
	id := abi.FromString(connectionID)
	hostClose(id.Pointer, id.Length, unsafe.Pointer(&result))
	runtime.KeepAlive(connectionID)
	return result.Take(codes)
}

func info(connectionID string) (Connection, error) {
	var result described
	id := abi.FromString(connectionID)
	hostInfo(id.Pointer, id.Length, unsafe.Pointer(&result))
	runtime.KeepAlive(connectionID)
	defer abi.Received()
	if result.failed != 0 {
		return Connection{}, (*capability.Failure)(unsafe.Pointer(&result.connectedAt)).Error(codes)
	}
	return Connection{
		ConnectedAt:  time.UnixMilli(int64(result.connectedAt)),
		LastActiveAt: time.UnixMilli(int64(result.lastActiveAt)),
		SourceIP:     result.sourceIP.String(),
		UserAgent:    result.userAgent.String(),
	}, nil
}
