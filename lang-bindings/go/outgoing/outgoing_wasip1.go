//go:build go1.24

// Package outgoing sends the requests of net/http's default transport, and so of http.Get and http.DefaultClient, through
// `wasi:http/outgoing-handler`: a guest has no sockets, and the host lets it reach what its manifest grants.
package outgoing

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"unsafe"

	"lambkin.dev/go/internal/abi"
	"lambkin.dev/go/internal/wasi"
)

func init() {
	http.DefaultTransport = transport{}
}

type transport struct{}

// RoundTrip implements http.RoundTripper.
func (transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		defer request.Body.Close()
	}
	future, err := send(request)
	if err != nil {
		return nil, err
	}
	defer futureDrop(future)
	if err := wasi.Wait(request.Context(), futureSubscribe(future)); err != nil {
		return nil, err
	}
	// `option<result<result<incoming-response, error-code>>>`: ready, taken for the first time.
	var result struct {
		present  uint8
		_        [7]uint8
		taken    uint8
		_        [7]uint8
		response wasi.ErrorCodeResult
	}
	futureGet(future, unsafe.Pointer(&result))
	if err := result.response.Err(); err != nil {
		return nil, err
	}
	return lift(request, result.response.Resource()), nil
}

// send starts the request and writes its body.
func send(request *http.Request) (uint32, error) {
	outgoing, err := lower(request)
	if err != nil {
		return 0, err
	}
	var body wasi.ResourceResult
	requestBody(outgoing, unsafe.Pointer(&body))
	var started wasi.ErrorCodeResult
	handle(outgoing, 0, 0, unsafe.Pointer(&started))
	if err := started.Err(); err != nil {
		return 0, err
	}
	sink := wasi.NewOutgoingBody(request.Context(), body.Resource)
	if request.Body != nil {
		if _, err := io.Copy(sink, request.Body); err != nil {
			sink.Abort()
			futureDrop(started.Resource())
			return 0, err
		}
	}
	if err := sink.Finish(request.Trailer); err != nil {
		futureDrop(started.Resource())
		return 0, err
	}
	return started.Resource(), nil
}

// lower makes an `outgoing-request` with everything but the body.
func lower(request *http.Request) (uint32, error) {
	header := request.Header.Clone()
	if request.ContentLength > 0 {
		header.Set("Content-Length", strconv.FormatInt(request.ContentLength, 10))
	}
	fields, err := wasi.LowerFields(header)
	if err != nil {
		return 0, err
	}
	outgoing := newRequest(fields)
	number, other := methodCase(request.Method)
	target := abi.FromString(request.URL.RequestURI())
	authority := request.Host
	if authority == "" {
		authority = request.URL.Host
	}
	host := abi.FromString(authority)
	var scheme uint32
	if request.URL.Scheme == "https" {
		scheme = 1
	}
	refused := requestSetMethod(outgoing, number, other.Pointer, other.Length) |
		requestSetPathWithQuery(outgoing, 1, target.Pointer, target.Length) |
		requestSetScheme(outgoing, 1, scheme, 0, 0) |
		requestSetAuthority(outgoing, 1, host.Pointer, host.Length)
	if refused != 0 {
		requestDrop(outgoing)
		return 0, fmt.Errorf("the host refused the request %s %s", request.Method, request.URL)
	}
	return outgoing, nil
}

// methodCase is the case of `wasi:http/types.method`, and the text of its last.
func methodCase(method string) (uint32, abi.List) {
	for number, known := range wasi.Methods {
		if method == known || (method == "" && known == http.MethodGet) {
			return uint32(number), abi.List{}
		}
	}
	return uint32(len(wasi.Methods)), abi.FromString(method)
}

func lift(request *http.Request, incoming uint32) *http.Response {
	defer responseDrop(incoming)
	status := int(responseStatus(incoming))
	header := wasi.LiftFields(responseHeaders(incoming))
	length, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64)
	if err != nil {
		length = -1
	}
	var body wasi.ResourceResult
	responseConsume(incoming, unsafe.Pointer(&body))
	return &http.Response{
		Status:        strconv.Itoa(status) + " " + http.StatusText(status),
		StatusCode:    status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Body:          wasi.NewIncomingBody(request.Context(), body.Resource),
		ContentLength: length,
		Request:       request,
	}
}
