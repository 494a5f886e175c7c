// Command main starts the handler that the environment names.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type order struct {
	Name string `json:"name"`
}

type outOfStock struct{ name string }

func (err *outOfStock) Error() string { return "no more " + err.name }

// raw implements lambda.Handler.
type raw struct{}

func (raw) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	return append([]byte(`{"raw":`), append(payload, '}')...), nil
}

type key struct{}

var calls int

var handlers = map[string]any{
	"func()":                                func() {},
	"func() error":                          func() error { return errors.New("boom") },
	"func() (TOut, error)":                  func() (order, error) { return order{"out"}, nil },
	"func(TIn)":                             func(order) {},
	"func(TIn) error":                       func(in order) error { return &outOfStock{in.Name} },
	"func(TIn) (TOut, error)":               func(in order) (string, error) { return in.Name, nil },
	"func(context.Context)":                 func(context.Context) {},
	"func(context.Context) error":           func(context.Context) error { return fmt.Errorf("outer: %w", errors.New("inner")) },
	"func(context.Context) (TOut, error)":   func(ctx context.Context) (any, error) { return ctx.Value(key{}), nil },
	"func(context.Context, TIn)":            func(context.Context, *order) {},
	"func(context.Context, TIn) error":      func(context.Context, order) error { return nil },
	"func(context.Context, TIn) (T, error)": func(_ context.Context, in order) (order, error) { return in, nil },
	"func(json.RawMessage)":                 func(in json.RawMessage) (json.RawMessage, error) { return in, nil },
	"func(any)":                             func(in any) (any, error) { return in, nil },
	"io.Reader":                             func() (*strings.Reader, error) { return strings.NewReader("read"), nil },
	"lambda.Handler":                        raw{},
	"not a function":                        42,
	"three arguments":                       func(context.Context, order, order) {},
	"lambda's own error": func() error {
		return messages.InvokeResponse_Error{Type: "Own", Message: "mine"}
	},
	"panic": func() { panic("boom") },
	"index": func() { fmt.Println(os.Args[len(os.Args)+calls]) },
	"context": func(ctx context.Context) (any, error) {
		described, found := lambdacontext.FromContext(ctx)
		deadline, limited := ctx.Deadline()
		calls++
		return map[string]any{
			"found": found, "limited": limited, "deadline": deadline.UnixMilli(), "calls": calls,
			"requestId": described.AwsRequestID, "arn": described.InvokedFunctionArn,
			"title": described.ClientContext.Client.AppTitle, "custom": described.ClientContext.Custom,
			"function": lambdacontext.FunctionName, "memory": lambdacontext.MemoryLimitInMB,
			"greeting": os.Getenv("GREETING"),
		}, nil
	},
	"deadline": func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	},
	"gateway": func(event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		body := event.RequestContext.HTTP.Method + " " + event.PathParameters["id"]
		return events.APIGatewayV2HTTPResponse{StatusCode: 201, Body: body}, nil
	},
	"stream": func() (*events.LambdaFunctionURLStreamingResponse, error) {
		return &events.LambdaFunctionURLStreamingResponse{
			StatusCode: 202, Headers: map[string]string{"x": "y"}, Body: strings.NewReader("streamed"),
		}, nil
	},
	"calls": func() (int, error) {
		calls++
		return calls, nil
	},
	"length": func(in order) (int, error) { return len(in.Name), nil },
}

func main() {
	handler := os.Getenv("HANDLER")
	fmt.Println("starting", handler)
	if handler == "" {
		return
	}
	lambda.StartWithOptions(handlers[handler], lambda.WithContext(context.WithValue(context.Background(), key{}, "base")))
}
