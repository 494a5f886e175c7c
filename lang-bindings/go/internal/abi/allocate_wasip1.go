//go:build go1.24

package abi

import (
	"unsafe"
)

// The host calls cabi_realloc while it lowers arguments and results. Until it returns, a call of any import traps with
// "cannot leave component instance", and Go's allocator makes such calls: growing the heap or starting a collection
// reads the clock, and a collection may yield to poll_oneoff. Two measures keep it inside:
//   - holding the M makes the runtime refuse to start or to assist a collection (runtime.gcStart, runtime.gcAssistAlloc
//     return at once when mp.locks > 0);
//   - the preview-1 adapter answers clock reads from a cached value while it is paused
//     (https://github.com/bytecodealliance/wasmtime/pull/13563).

//go:wasmimport wasi_snapshot_preview1 adapter_monotonic_clock_set_paused
func pauseClock(paused uint32)

//go:linkname acquirem runtime.acquirem
func acquirem() unsafe.Pointer

//go:linkname releasem runtime.releasem
func releasem(unsafe.Pointer)

//go:linkname sbrk runtime.sbrk
func sbrk(size uintptr) unsafe.Pointer

var (
	// initialized says that Go's own allocator is ready: the adapter allocates its state before that.
	initialized bool
	// received keeps what the host allocated reachable until Received.
	received []unsafe.Pointer
	// destination is where the next list of bytes goes, when it fits.
	destination []byte
)

func init() {
	initialized = true
}

// Received forgets what the host allocated since the last call. Call it when every value it passed is held by a Go
// pointer, string or slice of its own.
func Received() {
	clear(received)
	received = received[:0]
}

// ReceiveInto makes the next bytes that the host hands over land in buffer, without an allocation. The caller calls it
// again with nil after that import has returned.
func ReceiveInto(buffer []byte) {
	destination = buffer
}

//go:wasmexport cabi_realloc
func reallocate(old unsafe.Pointer, oldSize, align, newSize uint32) unsafe.Pointer {
	if !initialized {
		return allocateEarly(uintptr(align), uintptr(newSize))
	}
	if align == 1 && oldSize == 0 && newSize <= uint32(len(destination)) && newSize > 0 {
		return unsafe.Pointer(unsafe.SliceData(destination))
	}
	pauseClock(1)
	held := acquirem()
	fresh := allocate(align, newSize)
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(fresh), newSize), unsafe.Slice((*byte)(old), oldSize))
	}
	received = append(received, fresh)
	releasem(held)
	pauseClock(0)
	return fresh
}

// allocate returns memory that is collected once nothing in Go points to it. It holds no Go pointers: addresses inside
// are integers, which is why everything stays in received until it is taken over.
func allocate(align, size uint32) unsafe.Pointer {
	if align <= 1 {
		return unsafe.Pointer(unsafe.SliceData(make([]byte, max(size, 1))))
	}
	return unsafe.Pointer(unsafe.SliceData(make([]uint64, max((size+7)/8, 1))))
}

func allocateEarly(align, size uintptr) unsafe.Pointer {
	start := sbrk(size + align)
	return unsafe.Add(start, -uintptr(start)&(align-1))
}
