//go:build go1.24

// Package http makes a Go program a web handler: it exports `wasi:http/incoming-handler` and answers with the handler of
// the http.Server that the program starts. No socket is opened: what http.ListenAndServe would accept from the network
// comes from the host.
package http

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"unsafe"

	"lambkin.dev/go/internal/abi"
	"lambkin.dev/go/internal/program"
	"lambkin.dev/go/internal/wasi"
)

// Every way to serve, http.ListenAndServe and those of the frameworks, leads to Server.Serve, which calls this first.
//
//go:linkname testHookServerServe net/http.testHookServerServe
var testHookServerServe func(*http.Server, net.Listener)

// server is the program's: its first, if it starts several.
var server *http.Server

func init() {
	testHookServerServe = func(started *http.Server, _ net.Listener) {
		if server == nil {
			server = started
		}
		program.Register()
	}
}

//go:wasmexport wasi:http/incoming-handler@0.2.12#handle
func handle(incoming, outparam uint32) {
	defer requestDrop(incoming)
	if err := program.Start("http.ListenAndServe"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		fail(outparam, err.Error())
		return
	}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), http.ServerContextKey, server))
	defer cancel()
	request, err := lift(ctx, incoming)
	if err != nil {
		fail(outparam, err.Error())
		return
	}
	defer request.Body.Close()
	response := &response{request: request, outparam: outparam, header: http.Header{}}
	defer recovered(response)
	handlerOf(server).ServeHTTP(response, request)
	response.finish()
}

func handlerOf(server *http.Server) http.Handler {
	if server.Handler == nil {
		return http.DefaultServeMux
	}
	return server.Handler
}

// recovered does what net/http does with a handler's panic: it logs it and breaks off the response.
func recovered(response *response) {
	value := recover()
	if value == nil {
		return
	}
	if err, ok := value.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
		fmt.Fprintf(os.Stderr, "panic: %v\n%s", value, debug.Stack())
	}
	response.abort(fmt.Sprint(value))
}

// fail answers with an `internal-error`.
func fail(outparam uint32, message string) {
	text := abi.FromString(message)
	responseOutparamSet(outparam, 1, wasi.InternalError, 1, uint64(text.Pointer), text.Length, 0, 0, 0)
}

// lift makes a net/http request of an `incoming-request`, which stays the caller's.
func lift(ctx context.Context, incoming uint32) (*http.Request, error) {
	target := lifted(incoming, requestPathWithQuery)
	request, err := http.NewRequestWithContext(ctx, method(incoming), target, nil)
	if err != nil {
		return nil, err
	}
	request.RequestURI = target
	request.Header = wasi.LiftFields(requestHeaders(incoming))
	request.Host = lifted(incoming, requestAuthority)
	if request.Host == "" {
		request.Host = request.Header.Get("Host")
	}
	request.Header.Del("Host")
	request.RemoteAddr = remoteAddress(request.Header)
	request.ContentLength = contentLength(request)
	var body wasi.ResourceResult
	requestConsume(incoming, unsafe.Pointer(&body))
	request.Body = wasi.NewIncomingBody(ctx, body.Resource)
	return request, nil
}

// lifted is what a getter of an `option<string>` gives.
func lifted(incoming uint32, get func(uint32, unsafe.Pointer)) string {
	var option abi.Option
	get(incoming, unsafe.Pointer(&option))
	text := option.String()
	abi.Received()
	return text
}

func method(incoming uint32) string {
	// An `option<string>` has the layout of the variant: a case, then the text of `other`.
	var variant abi.Option
	requestMethod(incoming, unsafe.Pointer(&variant))
	defer abi.Received()
	if int(variant.Present) < len(wasi.Methods) {
		return wasi.Methods[variant.Present]
	}
	return variant.Value.String()
}
