// Command main is the job: it looks at a photo, keeps what it saw, and tells who uploaded it.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"

	"github.com/aws/aws-lambda-go/lambda"
	"lambkin.dev/go/files"
	"lambkin.dev/go/websocket"
)

type upload struct {
	Path       string `json:"path"`
	Connection string `json:"connection"`
	Name       string `json:"name"`
}

type report struct {
	Name   string `json:"name"`
	Bytes  int    `json:"bytes"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Digest string `json:"digest"`
	Error  string `json:"error,omitempty"`
}

func main() {
	lambda.Start(func(_ context.Context, asked upload) error {
		photo, err := files.Get("photos", asked.Path)
		if err != nil {
			return err
		}
		text, err := json.Marshal(measure(asked.Name, photo.Data))
		if err != nil {
			return err
		}
		if _, err := files.Put("photos", "measured/"+asked.Name+".json", text, "application/json"); err != nil {
			return err
		}
		// Who has left by now finds it in the list.
		if err := websocket.Send(asked.Connection, text); err != nil && !errors.Is(err, websocket.Gone) {
			return err
		}
		return nil
	})
}

func measure(name string, data []byte) report {
	digest := sha256.Sum256(data)
	found := report{Name: name, Bytes: len(data), Digest: hex.EncodeToString(digest[:])}
	size, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		found.Error = err.Error()
		return found
	}
	found.Width, found.Height = size.Width, size.Height
	return found
}
