// Command main answers the conformance cases as a Lambda handler behind an HTTP API.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type (
	request  = events.APIGatewayV2HTTPRequest
	response = events.APIGatewayV2HTTPResponse
)

func main() {
	lambda.Start(handle)
}

func handle(ctx context.Context, event request) (any, error) {
	if strings.HasPrefix(event.RawPath, "/items/") {
		return reply(200, map[string]any{"id": event.PathParameters["id"]}), nil
	}
	query, err := url.ParseQuery(event.RawQueryString)
	if err != nil {
		return nil, err
	}
	switch event.RawPath {
	case "/echo":
		return echo(event)
	case "/binary":
		return binary(event)
	case "/cookies":
		return cookies(event), nil
	case "/json":
		return order(event), nil
	case "/throw":
		return nil, errors.New("boom")
	case "/text":
		return "plain text", nil
	case "/status":
		return response{StatusCode: 418, Headers: map[string]string{"x-short": "stout"}}, nil
	case "/env":
		return reply(200, map[string]any{"greeting": os.Getenv("GREETING")}), nil
	case "/log":
		fmt.Println("out:", query.Get("n"))
		fmt.Fprintln(os.Stderr, "err:", query.Get("n"))
		return reply(200, map[string]any{"logged": query.Get("n")}), nil
	case "/spin":
		spin()
	case "/oom":
		allocate()
	case "/large":
		return large(event, query.Get("size"))
	case "/unicode":
		return reply(200, map[string]any{"greeting": "Grüße, " + query.Get("name") + " 世界 🐑"}), nil
	case "/random":
		return reply(200, map[string]any{"random": rand.Float64(), "now": time.Now().UnixMilli()}), nil
	case "/sleep":
		return sleep(query.Get("ms"))
	case "/context":
		return describe(ctx), nil
	}
	return reply(404, map[string]any{"error": "no such case"}), nil
}

func reply(status int, value any) response {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return response{
		StatusCode: status,
		Headers:    map[string]string{"content-type": "application/json"},
		Body:       string(body),
	}
}

func body(event request) ([]byte, error) {
	if event.IsBase64Encoded {
		return base64.StdEncoding.DecodeString(event.Body)
	}
	return []byte(event.Body), nil
}

func echo(event request) (any, error) {
	body, err := body(event)
	if err != nil {
		return nil, err
	}
	var header *string
	if value, sent := event.Headers["x-echo"]; sent {
		header = &value
	}
	return reply(200, map[string]any{
		"method": event.RequestContext.HTTP.Method,
		"path":   event.RawPath,
		"query":  event.RawQueryString,
		"header": header,
		"body":   body,
	}), nil
}

func binary(event request) (any, error) {
	body, err := body(event)
	if err != nil {
		return nil, err
	}
	return response{
		StatusCode:      200,
		Headers:         map[string]string{"content-type": "application/octet-stream"},
		Body:            base64.StdEncoding.EncodeToString(body),
		IsBase64Encoded: true,
	}, nil
}

func cookies(event request) response {
	var names []string
	for _, cookie := range event.Cookies {
		name, _, _ := strings.Cut(cookie, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	return response{
		StatusCode: 200,
		Headers:    map[string]string{"content-type": "text/plain", "x-multi": "one,two"},
		Cookies:    []string{"seen=" + strings.Join(names, "."), "second=2; Path=/"},
		Body:       "ok",
	}
}

func order(event request) response {
	var order struct {
		Items []struct{ Price, Qty float64 }
	}
	body, err := body(event)
	if err != nil || json.Unmarshal(body, &order) != nil {
		return reply(400, map[string]any{"error": "invalid json"})
	}
	total := 0.0
	for _, item := range order.Items {
		total += item.Price * item.Qty
	}
	return reply(200, map[string]any{"count": len(order.Items), "total": total})
}

func spin() {
	for count := 0; ; count++ {
		_ = count
	}
}

func allocate() {
	var held [][]byte
	for {
		block := make([]byte, 1<<20)
		for index := range block {
			block[index] = 1
		}
		held = append(held, block)
	}
}

func large(event request, size string) (any, error) {
	if event.RequestContext.HTTP.Method == "POST" {
		body, err := body(event)
		return reply(200, map[string]any{"length": len(body)}), err
	}
	count, err := strconv.Atoi(size)
	if err != nil {
		return nil, err
	}
	return response{
		StatusCode: 200,
		Headers:    map[string]string{"content-type": "text/plain"},
		Body:       strings.Repeat("x", count),
	}, nil
}

func sleep(text string) (any, error) {
	milliseconds, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	time.Sleep(time.Duration(milliseconds) * time.Millisecond)
	return reply(200, map[string]any{"slept": milliseconds}), nil
}

func describe(ctx context.Context) response {
	described, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return reply(200, map[string]any{
		"requestId":    described.AwsRequestID,
		"functionName": lambdacontext.FunctionName,
		"remaining":    time.Until(deadline).Milliseconds(),
	})
}
