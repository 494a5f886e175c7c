//go:build go1.24

package capability

import (
	"lambkin.dev/go/internal/abi"
)

// Failure is the `record error` of the interfaces: an enum and a text.
type Failure struct {
	Code    uint8
	_       [3]uint8
	Message abi.List
}

// Error takes the failure out of memory; codes are the enum's names in their order.
func (failure *Failure) Error(codes []string) error {
	code := "failed"
	if int(failure.Code) < len(codes) {
		code = codes[failure.Code]
	}
	return &Error{Code: code, Message: failure.Message.String()}
}

// Nothing is `result<_, error>`.
type Nothing struct {
	Failed  uint8
	_       [3]uint8
	Failure Failure
}

// Take gives the error, if it is one, and forgets what the host allocated.
func (result *Nothing) Take(codes []string) error {
	defer abi.Received()
	if result.Failed == 0 {
		return nil
	}
	return result.Failure.Error(codes)
}

// Text is `result<string, error>`: the text lies where the failure does.
type Text struct {
	Failed uint8
	_      [3]uint8
	First  abi.List
	Second uint32
}

// Take gives the text or the error, and forgets what the host allocated.
func (result *Text) Take(codes []string) (string, error) {
	defer abi.Received()
	if result.Failed == 0 {
		return result.First.String(), nil
	}
	failure := Failure{Code: uint8(result.First.Pointer), Message: abi.List{Pointer: result.First.Length, Length: result.Second}}
	return "", failure.Error(codes)
}

// Optional is an `option<string>` as it is passed: present, address and length. An empty text is absent.
func Optional(text string) (present, address, length uint32) {
	if text == "" {
		return 0, 0, 0
	}
	list := abi.FromString(text)
	return 1, list.Pointer, list.Length
}
