//go:build go1.24

package http

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"lambkin.dev/go/internal/wasi"
)

// buffered is how much of a body is held back: a shorter one gets a Content-Length, as from net/http.
const buffered = 32 << 10

// response is the http.ResponseWriter of one request.
type response struct {
	request  *http.Request
	outparam uint32
	// started says that outparam is used up.
	started bool
	// header is what the handler sees; trailers are set in it after the header has been fixed.
	header http.Header
	// fixed is the header as it was at WriteHeader, and status what it was given, else 0.
	fixed  http.Header
	status int
	// pending is what has been written and not sent.
	pending []byte
	// body is nil until the status and the header are sent.
	body *wasi.OutgoingBody
}

// Header is the header, until WriteHeader, and then what trailers are set in.
func (response *response) Header() http.Header {
	return response.header
}

// WriteHeader fixes the status and the header; informational statuses are not passed on.
func (response *response) WriteHeader(status int) {
	if response.status == 0 && status >= http.StatusOK {
		response.status = status
		response.fixed = response.header.Clone()
	}
}

// Write holds contents back until there is much of it, or Flush.
func (response *response) Write(contents []byte) (int, error) {
	response.WriteHeader(http.StatusOK)
	if !bodyAllowed(response.status) {
		return 0, http.ErrBodyNotAllowed
	}
	if response.request.Method == http.MethodHead {
		return len(contents), nil
	}
	if len(response.pending)+len(contents) <= buffered {
		response.pending = append(response.pending, contents...)
		return len(contents), nil
	}
	if len(response.pending) == 0 {
		response.sniff(contents)
	}
	if err := response.send(); err != nil {
		return 0, err
	}
	return response.body.Write(contents)
}

// Flush sends what has been written.
func (response *response) Flush() {
	_ = response.FlushError()
}

// FlushError sends what has been written, for http.ResponseController.
func (response *response) FlushError() error {
	response.WriteHeader(http.StatusOK)
	if err := response.send(); err != nil {
		return err
	}
	return response.body.Flush()
}

// EnableFullDuplex is for http.ResponseController: reading after writing always works here.
func (response *response) EnableFullDuplex() error {
	return nil
}

// send sends the header, if it has not been sent, and what is pending.
func (response *response) send() error {
	if response.body == nil {
		if err := response.start(); err != nil {
			return err
		}
	}
	pending := response.pending
	response.pending = nil
	_, err := response.body.Write(pending)
	return err
}

// start sends the status and the header.
func (response *response) start() error {
	response.sniff(response.pending)
	fields, err := wasi.LowerFields(response.fixed)
	if err != nil {
		return err
	}
	outgoing := newResponse(fields)
	responseSetStatusCode(outgoing, uint32(response.status))
	var body wasi.ResourceResult
	responseBody(outgoing, unsafe.Pointer(&body))
	response.started = true
	responseOutparamSet(response.outparam, 0, outgoing, 0, 0, 0, 0, 0, 0)
	response.body = wasi.NewOutgoingBody(response.request.Context(), body.Resource)
	return nil
}

// sniff names the type of a body that starts with contents, as net/http does.
func (response *response) sniff(contents []byte) {
	_, named := response.fixed["Content-Type"]
	if response.body == nil && !named && len(contents) > 0 && response.fixed.Get("Content-Encoding") == "" {
		response.fixed.Set("Content-Type", http.DetectContentType(contents))
	}
}

// finish ends a response whose handler has returned.
func (response *response) finish() {
	response.WriteHeader(http.StatusOK)
	whole := response.body == nil && response.request.Method != http.MethodHead && bodyAllowed(response.status)
	if whole && response.fixed.Get("Content-Length") == "" {
		response.fixed.Set("Content-Length", strconv.Itoa(len(response.pending)))
	}
	err := response.send()
	if err == nil {
		err = response.body.Finish(response.trailers())
		response.body = nil
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lambkin: could not send the response:", err)
		response.abort(err.Error())
	}
}

// trailers are the values of the fields that the header announced, and of those with http.TrailerPrefix.
func (response *response) trailers() http.Header {
	trailers := http.Header{}
	for _, names := range response.fixed.Values("Trailer") {
		for _, name := range strings.Split(names, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if values, set := response.header[name]; set {
				trailers[name] = values
			}
		}
	}
	for name, values := range response.header {
		if plain, prefixed := strings.CutPrefix(name, http.TrailerPrefix); prefixed {
			trailers[plain] = values
		}
	}
	return trailers
}

// abort breaks off the response; one that has not started becomes an error with message.
func (response *response) abort(message string) {
	if response.body != nil {
		response.body.Abort()
		response.body = nil
		return
	}
	if !response.started {
		response.started = true
		fail(response.outparam, message)
	}
}

// bodyAllowed follows RFC 9110, sections 15.3.5 and 15.4.5.
func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// remoteAddress is the client as the gateway saw it: sockets are the host's.
func remoteAddress(header http.Header) string {
	client, _, _ := strings.Cut(header.Get("X-Forwarded-For"), ",")
	if client = strings.TrimSpace(client); client == "" {
		client = "0.0.0.0"
	}
	return net.JoinHostPort(client, "0")
}

// contentLength is -1 for a body of unknown length.
func contentLength(request *http.Request) int64 {
	length, err := strconv.ParseInt(request.Header.Get("Content-Length"), 10, 64)
	switch {
	case err == nil:
		return length
	case request.Method == http.MethodGet || request.Method == http.MethodHead:
		return 0
	default:
		return -1
	}
}
