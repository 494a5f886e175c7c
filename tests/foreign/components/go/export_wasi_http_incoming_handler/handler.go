// Package export_wasi_http_incoming_handler is a web handler on the bindings that wit-bindgen makes of `wasi:http`'s own
// world `proxy`. The package's name and place are what the bindings look for.
package export_wasi_http_incoming_handler

import (
	"fmt"
	"strings"

	. "go.bytecodealliance.org/pkg/wit/types"
	. "wit_component/wasi_http_types"
)

type header struct{ name, value string }

// Handle answers one request.
func Handle(request *IncomingRequest, outparam *ResponseOutparam) {
	target := request.PathWithQuery().SomeOr("")
	path, _, _ := strings.Cut(target, "?")
	switch path {
	case "/echo":
		respond(outparam, 200, []header{{"content-type", "application/octet-stream"}}, read(request))
	case "/teapot":
		headers := []header{{"x-short", "stout"}, {"set-cookie", "one=1"}, {"set-cookie", "two=2; Path=/"}}
		respond(outparam, 418, headers, []byte("short and stout"))
	default:
		method := "?"
		if request.Method().Tag() == MethodGet {
			method = "GET"
		}
		client := request.Headers().Get("x-client")
		text := fmt.Sprintf("%s %s %s", method, target, client[0])
		respond(outparam, 200, []header{{"content-type", "text/plain"}}, []byte(text))
	}
}

func read(request *IncomingRequest) []byte {
	body := request.Consume().Ok()
	stream := body.Stream().Ok()
	var content []byte
	for {
		chunk := stream.BlockingRead(64 * 1024)
		if chunk.IsErr() {
			break
		}
		content = append(content, chunk.Ok()...)
	}
	stream.Drop()
	IncomingBodyFinish(body).Drop()
	return content
}

func respond(outparam *ResponseOutparam, status uint16, headers []header, content []byte) {
	fields := MakeFields()
	for _, header := range headers {
		fields.Append(header.name, []byte(header.value)).Ok()
	}
	response := MakeOutgoingResponse(fields)
	response.SetStatusCode(status).Ok()
	body := response.Body().Ok()
	ResponseOutparamSet(outparam, Ok[*OutgoingResponse, ErrorCode](response))
	stream := body.Write().Ok()
	for len(content) > 0 {
		// BlockingWriteAndFlush takes 4096 bytes at most.
		chunk := content[:min(len(content), 4096)]
		stream.BlockingWriteAndFlush(chunk).Ok()
		content = content[len(chunk):]
	}
	stream.Drop()
	OutgoingBodyFinish(body, None[*Fields]()).Ok()
}
