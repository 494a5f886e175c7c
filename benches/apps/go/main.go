// The same file is built for Linux with Go's Lambda client and as a Lambkin component.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(handle)
}

func handle(_ context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	body, err := answer(event)
	return events.APIGatewayV2HTTPResponse{
		StatusCode: 200,
		Headers:    map[string]string{"content-type": "application/json"},
		Body:       string(body),
	}, err
}

func answer(event events.APIGatewayV2HTTPRequest) ([]byte, error) {
	if event.RawPath == "/transform" {
		return transform([]byte(event.Body))
	}
	return json.Marshal(map[string]string{
		"message": "Hello, " + event.PathParameters["name"] + "!",
		"path":    event.RawPath,
	})
}

type order struct {
	ID       uint64   `json:"id"`
	Customer string   `json:"customer"`
	Cents    uint64   `json:"cents"`
	Quantity uint64   `json:"quantity"`
	Tags     []string `json:"tags"`
	Note     string   `json:"note"`
}

type line struct {
	ID       uint64   `json:"id"`
	Customer string   `json:"customer"`
	Total    uint64   `json:"total"`
	Tags     []string `json:"tags"`
	Note     string   `json:"note"`
}

func transform(body []byte) ([]byte, error) {
	var orders []order
	if err := json.Unmarshal(body, &orders); err != nil {
		return nil, err
	}
	lines := make([]line, 0, len(orders))
	for _, order := range orders {
		slices.Reverse(order.Tags)
		total := order.Cents * order.Quantity
		lines = append(lines, line{order.ID, strings.ToUpper(order.Customer), total, order.Tags, order.Note})
	}
	slices.SortFunc(lines, func(one, other line) int {
		return cmp.Or(cmp.Compare(other.Total, one.Total), cmp.Compare(one.ID, other.ID))
	})
	return json.Marshal(lines)
}
