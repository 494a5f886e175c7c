// Package files keeps files in S3, in the folders that the component's manifest grants it.
//
//	photo, err := files.Get("incoming", "a.png")
//	…
//	url, err := files.GetURL("incoming", "a.png", 5*time.Minute)
package files

import (
	"time"

	"lambkin.dev/go/internal/capability"
)

// Error is a call that was not done.
type Error = capability.Error

// What errors.Is tells apart.
var (
	NotGranted = &Error{Code: "not-granted"}
	NotFound   = &Error{Code: "not-found"}
	Invalid    = &Error{Code: "invalid"}
	TooLarge   = &Error{Code: "too-large"}
	Failed     = &Error{Code: "failed"}
)

// File is a file that was read. ContentType is empty when none was given with it.
type File struct {
	Data        []byte
	ContentType string
	ETag        string
}

// Entry is a file in a listing.
type Entry struct {
	Path         string
	Size         uint64
	ETag         string
	LastModified time.Time
}

// Page is a part of a listing. Next is where the next one begins, empty after the last.
type Page struct {
	Entries []Entry
	Next    string
}

// Upload bounds what a form takes. An empty ContentType takes any.
type Upload struct {
	Expires     time.Duration
	MinBytes    uint64
	MaxBytes    uint64
	ContentType string
}

// Form is posted, the fields first and then the file as the field `file`, as multipart/form-data.
type Form struct {
	URL    string
	Fields map[string]string
}

// Get reads a whole file.
func Get(folder, path string) (File, error) { return get(folder, path) }

// Put writes a file, over the one that is there, and gives its ETag. An empty contentType gives none.
func Put(folder, path string, data []byte, contentType string) (string, error) {
	return put(folder, path, data, contentType)
}

// List lists files whose paths begin with prefix, at most 1000; after is the Next of the page before.
func List(folder, prefix, after string) (Page, error) { return list(folder, prefix, after) }

// Delete deletes a file; one that is not there is no error.
func Delete(folder, path string) error { return remove(folder, path) }

// GetURL gives a URL from which anyone may read the file for so long, and never longer than the function's credentials
// last.
func GetURL(folder, path string, expires time.Duration) (string, error) {
	return getURL(folder, path, seconds(expires))
}

// PutURL gives a URL to which anyone may PUT the file, with this content type when one is given.
func PutURL(folder, path string, expires time.Duration, contentType string) (string, error) {
	return putURL(folder, path, seconds(expires), contentType)
}

// PostForm gives a form by which a browser may upload the file, within bounds.
func PostForm(folder, path string, upload Upload) (Form, error) {
	return postForm(folder, path, upload)
}

func seconds(span time.Duration) uint32 { return uint32(span / time.Second) }
