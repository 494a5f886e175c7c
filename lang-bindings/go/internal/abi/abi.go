//go:build go1.24

// Package abi is the memory side of the component model's canonical ABI: how lists and options lie in linear memory,
// and the allocator through which the host hands values to the guest.
//
// The layouts follow https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md. Addresses
// are 32 bits wide there and 64 bits in Go's own pointers, hence the explicit integers.
package abi

import "unsafe"

// List is a `string` or a `list<T>`: an address and a number of elements.
type List struct {
	Pointer uint32
	Length  uint32
}

// Option is an `option<string>`.
type Option struct {
	Present uint8
	_       [3]uint8
	Value   List
}

// Pair is a `tuple<string, string>`, or a `tuple<string, list<u8>>`.
type Pair struct {
	First  List
	Second List
}

// FromString lends text to the host. The caller keeps text alive for as long as the host may read it.
func FromString(text string) List {
	return List{Address(unsafe.Pointer(unsafe.StringData(text))), uint32(len(text))}
}

// FromSlice lends a slice to the host. The caller keeps it alive for as long as the host may read it.
func FromSlice[T any](slice []T) List {
	return List{Address(unsafe.Pointer(unsafe.SliceData(slice))), uint32(len(slice))}
}

// String takes text that the host lowered into memory of Allocate.
func (list List) String() string {
	return unsafe.String((*byte)(pointer(list.Pointer)), int(list.Length))
}

// Slice takes elements that the host lowered into memory of Allocate.
func Slice[T any](list List) []T {
	return unsafe.Slice((*T)(pointer(list.Pointer)), int(list.Length))
}

// String is the text, or "" when there is none.
func (option Option) String() string {
	if option.Present == 0 {
		return ""
	}
	return option.Value.String()
}

// Address is where a value lies in linear memory.
func Address(value unsafe.Pointer) uint32 {
	return uint32(uintptr(value))
}

func pointer(address uint32) unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(nil), uintptr(address))
}
