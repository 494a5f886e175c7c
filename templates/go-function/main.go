package main

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(handle)
}

func handle(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	if id, found := event.PathParameters["id"]; found {
		return reply(map[string]string{"id": id})
	}
	return reply(map[string]string{"message": "Hello from {{name}}, in Go!"})
}

func reply(value any) (events.APIGatewayV2HTTPResponse, error) {
	body, err := json.Marshal(value)
	return events.APIGatewayV2HTTPResponse{
		StatusCode: 200,
		Headers:    map[string]string{"content-type": "application/json"},
		Body:       string(body),
	}, err
}
