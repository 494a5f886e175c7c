// This file takes the place of the Runtime API client in github.com/aws/aws-lambda-go/lambda when Lambkin builds a
// program: lambda.Start, every handler signature and every option stay that package's own, and what it would fetch from
// and post to Lambda comes from and goes to the host. Leaving out the client also leaves out net/http and crypto/tls.

package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"lambkin.dev/go/function"
)

const contentTypeJSON = "application/json"

func init() {
	os.Setenv(runtimeAPIStartFunction.env, "lambkin")
}

// startRuntimeAPILoop is what lambda.Start calls with the handler that it has made of the user's.
func startRuntimeAPILoop(_ string, handler Handler) error {
	options := newHandler(handler)
	function.Serve(func(event []byte, invocation *function.Invocation) ([]byte, *function.Error) {
		answer, failure := options.invoke(event, invocation)
		if failure != nil {
			return nil, convert(failure)
		}
		return buffered(answer), nil
	})
	return nil
}

// enableSIGTERM does nothing: a guest gets no signals.
func enableSIGTERM([]func()) {}

func (h *handlerOptions) invoke(event []byte, invocation *function.Invocation) (answer []byte, failure *messages.InvokeResponse_Error) {
	defer func() {
		if value := recover(); value != nil {
			failure = lambdaPanicResponse(value)
		}
	}()
	ctx, cancel := context.WithDeadline(h.baseContext, invocation.Deadline)
	defer cancel()
	ctx, err := describe(ctx, invocation)
	if err != nil {
		return nil, lambdaErrorResponse(err)
	}
	answer, err = h.Invoke(ctx, event)
	if err != nil {
		return nil, lambdaErrorResponse(err)
	}
	return answer, nil
}

// describe gives the handler what lambdacontext.FromContext and that package's variables tell on Lambda.
func describe(ctx context.Context, invocation *function.Invocation) (context.Context, error) {
	lambdacontext.FunctionName = invocation.Function.Name
	lambdacontext.FunctionVersion = invocation.Function.Version
	lambdacontext.MemoryLimitInMB = int(invocation.Function.MemoryMB)
	lambdacontext.LogGroupName = invocation.Function.LogGroup
	lambdacontext.LogStreamName = invocation.Function.LogStream
	described := lambdacontext.LambdaContext{
		AwsRequestID:       invocation.RequestID,
		InvokedFunctionArn: invocation.Function.InvokedARN,
	}
	if err := decode(invocation.ClientContext, &described.ClientContext); err != nil {
		return nil, fmt.Errorf("failed to unmarshal client context json: %w", err)
	}
	if err := decode(invocation.Identity, &described.Identity); err != nil {
		return nil, fmt.Errorf("failed to unmarshal cognito identity json: %w", err)
	}
	// Younger than the oldest aws-lambda-go that works.
	if tenant := reflect.ValueOf(&described).Elem().FieldByName("TenantID"); tenant.IsValid() {
		tenant.SetString(invocation.Tenant)
	}
	os.Setenv("_X_AMZN_TRACE_ID", invocation.TraceID)
	ctx = context.WithValue(ctx, "x-amzn-trace-id", invocation.TraceID) //nolint:staticcheck // the key of aws-lambda-go
	return lambdacontext.NewContext(ctx, &described), nil
}

func decode(text string, into any) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), into)
}

func convert(failure *messages.InvokeResponse_Error) *function.Error {
	return &function.Error{Type: failure.Type, Message: failure.Message, Stack: handlerFrames(failure.StackTrace)}
}

// handlerFrames are the frames from where the user's code panicked out to the handler's call.
func handlerFrames(trace []*messages.InvokeResponse_Error_StackFrame) []string {
	start := 0
	for index, frame := range trace {
		if frame.Label == "gopanic" {
			start = index + 1
		}
	}
	var frames []string
	for _, frame := range trace[start:] {
		if frame.Path == "reflect/value.go" || strings.HasPrefix(frame.Path, "github.com/aws/aws-lambda-go") {
			break
		}
		frames = append(frames, fmt.Sprintf("%s (%s:%d)", frame.Label, frame.Path, frame.Line))
	}
	return frames
}

// separator ends the prelude of a streamed answer, such as lambdaurl and events.LambdaFunctionURLStreamingResponse
// write: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
const separator = "\x00\x00\x00\x00\x00\x00\x00\x00"

// buffered turns a streamed answer into the buffered one of the same meaning; any other answer passes as it is.
func buffered(answer []byte) []byte {
	prelude, body, streamed := strings.Cut(string(answer), separator)
	var response map[string]any
	if !streamed || json.Unmarshal([]byte(prelude), &response) != nil {
		return answer
	}
	response["body"], response["isBase64Encoded"] = []byte(body), true
	converted, err := json.Marshal(response)
	if err != nil {
		return answer
	}
	return converted
}
