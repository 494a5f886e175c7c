//go:build go1.24

package files

import (
	"runtime"
	"time"
	"unsafe"

	"lambkin.dev/go/internal/abi"
	"lambkin.dev/go/internal/capability"
)

//go:wasmimport lambkin:files/files@0.1.0 get
func hostGet(folder, folderLength, path, pathLength uint32, result unsafe.Pointer)

//go:wasmimport lambkin:files/files@0.1.0 put
func hostPut(folder, folderLength, path, pathLength, data, dataLength, hasType, kind, kindLength uint32, result unsafe.Pointer)

//go:wasmimport lambkin:files/files@0.1.0 entries
func hostEntries(folder, folderLength, prefix, prefixLength, hasAfter, after, afterLength uint32, result unsafe.Pointer)

//go:wasmimport lambkin:files/files@0.1.0 delete
func hostDelete(folder, folderLength, path, pathLength uint32, result unsafe.Pointer)

//go:wasmimport lambkin:files/files@0.1.0 get-url
func hostGetURL(folder, folderLength, path, pathLength, seconds uint32, result unsafe.Pointer)

//go:wasmimport lambkin:files/files@0.1.0 put-url
func hostPutURL(folder, folderLength, path, pathLength, seconds, hasType, kind, kindLength uint32, result unsafe.Pointer)

//go:wasmimport lambkin:files/files@0.1.0 post-form
func hostPostForm(folder, folderLength, path, pathLength, seconds uint32, least, most uint64, hasType, kind, kindLength uint32, result unsafe.Pointer)

// The order is that of the contract's `enum error-code`.
var codes = []string{"not-granted", "not-found", "invalid", "too-large", "failed"}

// `result<file, error>`: the failure lies where the data does.
type gotten struct {
	failed      uint8
	_           [3]uint8
	data        abi.List
	contentType abi.Option
	etag        abi.List
}

// `result<page, error>`, and one of the page's entries.
type listed struct {
	failed  uint8
	_       [3]uint8
	entries abi.List
	next    abi.Option
}

type entry struct {
	path         abi.List
	size         uint64
	etag         abi.List
	lastModified uint64
}

// `result<form, error>`.
type formed struct {
	failed uint8
	_      [3]uint8
	url    abi.List
	fields abi.List
}

// place lends a folder and a path to the host while use runs.
func place(folder, path string, use func(folder, path abi.List)) {
	use(abi.FromString(folder), abi.FromString(path))
	runtime.KeepAlive(folder)
	runtime.KeepAlive(path)
}

func get(folder, path string) (File, error) {
	var result gotten
	place(folder, path, func(folder, path abi.List) {
		hostGet(folder.Pointer, folder.Length, path.Pointer, path.Length, unsafe.Pointer(&result))
	})
	defer abi.Received()
	if result.failed != 0 {
		return File{}, (*capability.Failure)(unsafe.Pointer(&result.data)).Error(codes)
	}
	data := abi.Slice[byte](result.data)
	return File{Data: data, ContentType: result.contentType.String(), ETag: result.etag.String()}, nil
}

func put(folder, path string, data []byte, contentType string) (string, error) {
	var result capability.Text
	bytes := abi.FromSlice(data)
	hasType, kind, length := capability.Optional(contentType)
	place(folder, path, func(folder, path abi.List) {
		hostPut(folder.Pointer, folder.Length, path.Pointer, path.Length, bytes.Pointer, bytes.Length, hasType, kind, length, unsafe.Pointer(&result))
	})
	runtime.KeepAlive(data)
	runtime.KeepAlive(contentType)
	return result.Take(codes)
}

func list(folder, prefix, after string) (Page, error) {
	var result listed
	hasAfter, from, length := capability.Optional(after)
	place(folder, prefix, func(folder, prefix abi.List) {
		hostEntries(folder.Pointer, folder.Length, prefix.Pointer, prefix.Length, hasAfter, from, length, unsafe.Pointer(&result))
	})
	runtime.KeepAlive(after)
	defer abi.Received()
	if result.failed != 0 {
		return Page{}, (*capability.Failure)(unsafe.Pointer(&result.entries)).Error(codes)
	}
	page := Page{Next: result.next.String()}
	for _, one := range abi.Slice[entry](result.entries) {
		modified := time.UnixMilli(int64(one.lastModified))
		page.Entries = append(page.Entries, Entry{one.path.String(), one.size, one.etag.String(), modified})
	}
	return page, nil
}

func remove(folder, path string) error {
	var result capability.Nothing
	place(folder, path, func(folder, path abi.List) {
		hostDelete(folder.Pointer, folder.Length, path.Pointer, path.Length, unsafe.Pointer(&result))
	})
	return result.Take(codes)
}

func getURL(folder, path string, seconds uint32) (string, error) {
	var result capability.Text
	place(folder, path, func(folder, path abi.List) {
		hostGetURL(folder.Pointer, folder.Length, path.Pointer, path.Length, seconds, unsafe.Pointer(&result))
	})
	return result.Take(codes)
}

func putURL(folder, path string, seconds uint32, contentType string) (string, error) {
	var result capability.Text
	hasType, kind, length := capability.Optional(contentType)
	place(folder, path, func(folder, path abi.List) {
		hostPutURL(folder.Pointer, folder.Length, path.Pointer, path.Length, seconds, hasType, kind, length, unsafe.Pointer(&result))
	})
	runtime.KeepAlive(contentType)
	return result.Take(codes)
}

func postForm(folder, path string, upload Upload) (Form, error) {
	var result formed
	hasType, kind, length := capability.Optional(upload.ContentType)
	place(folder, path, func(folder, path abi.List) {
		hostPostForm(folder.Pointer, folder.Length, path.Pointer, path.Length, seconds(upload.Expires), upload.MinBytes, upload.MaxBytes, hasType, kind, length, unsafe.Pointer(&result))
	})
	runtime.KeepAlive(upload.ContentType)
	defer abi.Received()
	if result.failed != 0 {
		return Form{}, (*capability.Failure)(unsafe.Pointer(&result.url)).Error(codes)
	}
	form := Form{URL: result.url.String(), Fields: map[string]string{}}
	for _, pair := range abi.Slice[abi.Pair](result.fields) {
		form.Fields[pair.First.String()] = pair.Second.String()
	}
	return form, nil
}
