//go:build !wasip1

package files

import "lambkin.dev/go/internal/capability"

var errOutside = capability.Outside("lambkin.dev/go/files")

func get(string, string) (File, error)                      { return File{}, errOutside }
func put(string, string, []byte, string) (string, error)    { return "", errOutside }
func list(string, string, string) (Page, error)             { return Page{}, errOutside }
func remove(string, string) error                           { return errOutside }
func getURL(string, string, uint32) (string, error)         { return "", errOutside }
func putURL(string, string, uint32, string) (string, error) { return "", errOutside }
func postForm(string, string, Upload) (Form, error)         { return Form{}, errOutside }
