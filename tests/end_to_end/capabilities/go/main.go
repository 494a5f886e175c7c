// Command main calls what the event asks for and answers with what came of it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"lambkin.dev/go/files"
	"lambkin.dev/go/jobs"
	"lambkin.dev/go/websocket"
)

type event struct {
	Call, Folder, Path, Text, Type, After, Component, Connection string
	Seconds                                                      *int
	Most                                                         uint64
	Event                                                        json.RawMessage
}

type object = map[string]any

func main() {
	lambda.Start(func(ctx context.Context, asked event) (object, error) {
		value, err := call(ctx, asked)
		var refused *files.Error // The three packages have one type of error.
		switch {
		case errors.As(err, &refused):
			return object{"error": object{"code": refused.Code, "message": refused.Message}}, nil
		case err != nil:
			return object{"error": object{"code": "unknown", "message": err.Error()}}, nil
		default:
			return object{"ok": value}, nil
		}
	})
}

func call(ctx context.Context, asked event) (any, error) {
	expires := time.Minute
	if asked.Seconds != nil {
		expires = time.Duration(*asked.Seconds) * time.Second
	}
	switch asked.Call {
	case "files.put":
		return files.Put(asked.Folder, asked.Path, []byte(asked.Text), asked.Type)
	case "files.get":
		file, err := files.Get(asked.Folder, asked.Path)
		return object{"text": string(file.Data), "type": file.ContentType, "etag": file.ETag}, err
	case "files.list":
		return list(asked)
	case "files.delete":
		return nil, files.Delete(asked.Folder, asked.Path)
	case "files.getUrl":
		return files.GetURL(asked.Folder, asked.Path, expires)
	case "files.putUrl":
		return files.PutURL(asked.Folder, asked.Path, expires, asked.Type)
	case "files.postForm":
		return postForm(asked, expires)
	case "jobs.start":
		return jobs.Start(asked.Component, asked.Event)
	case "websocket.send":
		return nil, websocket.Send(asked.Connection, []byte(asked.Text))
	case "websocket.close":
		return nil, websocket.Close(asked.Connection)
	case "websocket.info":
		found, err := websocket.Info(asked.Connection)
		age := found.LastActiveAt.Sub(found.ConnectedAt).Milliseconds()
		return object{"sourceIp": found.SourceIP, "userAgent": found.UserAgent, "age": age}, err
	case "report": // What a job leaves behind: who it was.
		about, _ := lambdacontext.FromContext(ctx)
		return files.Put(asked.Folder, asked.Path, []byte(about.AwsRequestID), "")
	}
	return nil, errors.New("unknown call " + asked.Call)
}

func list(asked event) (any, error) {
	page, err := files.List(asked.Folder, asked.Path, asked.After)
	entries := []object{}
	for _, one := range page.Entries {
		entries = append(entries, object{"path": one.Path, "size": one.Size, "recent": one.LastModified.Year() >= 2026})
	}
	if page.Next == "" {
		return object{"entries": entries, "next": nil}, err
	}
	return object{"entries": entries, "next": page.Next}, err
}

func postForm(asked event, expires time.Duration) (any, error) {
	most := asked.Most
	if most == 0 {
		most = 100
	}
	form, err := files.PostForm(asked.Folder, asked.Path, files.Upload{Expires: expires, MinBytes: 1, MaxBytes: most, ContentType: asked.Type})
	fields := [][2]string{}
	for name, value := range form.Fields {
		fields = append(fields, [2]string{name, value})
	}
	return object{"url": form.URL, "fields": fields}, err
}
