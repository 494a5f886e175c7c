// A Lambda handler, as it runs on Lambda's own runtime for Go.
package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func handle(_ context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	name := request.PathParameters["name"]
	fmt.Println("greeting", name)
	body, err := json.Marshal(map[string]string{"language": "Go", "greeting": "Ciao, " + name + "!"})
	return events.APIGatewayV2HTTPResponse{
		StatusCode: 200,
		Headers:    map[string]string{"content-type": "application/json"},
		Body:       string(body),
	}, err
}

func main() {
	lambda.Start(handle)
}
