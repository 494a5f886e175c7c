// Package capability is what files, jobs and websocket share: the host's errors, and how its answers lie in memory.
package capability

// Error is a call that the host did not do. Code tells errors apart; Message is for people.
type Error struct {
	Code    string
	Message string
}

func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Message
}

// Is makes errors.Is true for an error of the same code.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// Outside is what a program that is not a component gets, for example in a unit test.
func Outside(what string) error {
	return &Error{Code: "failed", Message: what + " answers inside a component alone"}
}
