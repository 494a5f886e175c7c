// Command main answers the conformance cases as a net/http server.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	http.HandleFunc("/echo", echo)
	http.HandleFunc("POST /binary", binary)
	http.HandleFunc("GET /cookies", cookies)
	http.HandleFunc("GET /items/{id}", func(writer http.ResponseWriter, request *http.Request) {
		reply(writer, 200, map[string]any{"id": request.PathValue("id")})
	})
	http.HandleFunc("POST /json", order)
	http.HandleFunc("GET /throw", func(http.ResponseWriter, *http.Request) { panic("boom") })
	http.HandleFunc("GET /text", func(writer http.ResponseWriter, _ *http.Request) {
		writer.Header().Set("content-type", "text/plain")
		io.WriteString(writer, "plain text")
	})
	http.HandleFunc("GET /status", func(writer http.ResponseWriter, _ *http.Request) {
		writer.Header().Set("x-short", "stout")
		writer.WriteHeader(http.StatusTeapot)
	})
	http.HandleFunc("GET /env", func(writer http.ResponseWriter, _ *http.Request) {
		reply(writer, 200, map[string]any{"greeting": os.Getenv("GREETING")})
	})
	http.HandleFunc("GET /log", func(writer http.ResponseWriter, request *http.Request) {
		number := request.FormValue("n")
		fmt.Println("out:", number)
		fmt.Fprintln(os.Stderr, "err:", number)
		reply(writer, 200, map[string]any{"logged": number})
	})
	http.HandleFunc("GET /spin", spin)
	http.HandleFunc("GET /oom", allocate)
	http.HandleFunc("POST /large", func(writer http.ResponseWriter, request *http.Request) {
		length, err := io.Copy(io.Discard, request.Body)
		if err != nil {
			panic(err)
		}
		reply(writer, 200, map[string]any{"length": length})
	})
	http.HandleFunc("GET /large", large)
	http.HandleFunc("GET /unicode", func(writer http.ResponseWriter, request *http.Request) {
		reply(writer, 200, map[string]any{"greeting": "Grüße, " + request.FormValue("name") + " 世界 🐑"})
	})
	http.HandleFunc("GET /random", func(writer http.ResponseWriter, _ *http.Request) {
		reply(writer, 200, map[string]any{"random": rand.Float64(), "now": time.Now().UnixMilli()})
	})
	http.HandleFunc("GET /sleep", sleep)
	http.HandleFunc("GET /context", func(writer http.ResponseWriter, request *http.Request) {
		reply(writer, 200, map[string]any{"requestId": request.Header.Get("x-lambkin-request-id")})
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}

func reply(writer http.ResponseWriter, status int, value any) {
	writer.Header().Set("content-type", "application/json")
	writer.WriteHeader(status)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
}

func echo(writer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		panic(err)
	}
	var header *string
	if values := request.Header.Values("x-echo"); len(values) > 0 {
		header = &values[0]
	}
	reply(writer, 200, map[string]any{
		"method": request.Method,
		"path":   request.URL.EscapedPath(),
		"query":  request.URL.RawQuery,
		"header": header,
		"body":   body,
	})
}

func binary(writer http.ResponseWriter, request *http.Request) {
	writer.Header().Set("content-type", "application/octet-stream")
	if _, err := io.Copy(writer, request.Body); err != nil {
		panic(err)
	}
}

func cookies(writer http.ResponseWriter, request *http.Request) {
	var names []string
	for _, cookie := range request.Cookies() {
		names = append(names, cookie.Name)
	}
	slices.Sort(names)
	http.SetCookie(writer, &http.Cookie{Name: "seen", Value: strings.Join(names, ".")})
	http.SetCookie(writer, &http.Cookie{Name: "second", Value: "2", Path: "/"})
	writer.Header().Add("x-multi", "one")
	writer.Header().Add("x-multi", "two")
	writer.Header().Set("content-type", "text/plain")
	io.WriteString(writer, "ok")
}

func order(writer http.ResponseWriter, request *http.Request) {
	var order struct {
		Items []struct{ Price, Qty float64 }
	}
	if json.NewDecoder(request.Body).Decode(&order) != nil {
		reply(writer, 400, map[string]any{"error": "invalid json"})
		return
	}
	total := 0.0
	for _, item := range order.Items {
		total += item.Price * item.Qty
	}
	reply(writer, 200, map[string]any{"count": len(order.Items), "total": total})
}

func spin(http.ResponseWriter, *http.Request) {
	for count := 0; ; count++ {
		_ = count
	}
}

func allocate(http.ResponseWriter, *http.Request) {
	var held [][]byte
	for {
		block := make([]byte, 1<<20)
		for index := range block {
			block[index] = 1
		}
		held = append(held, block)
	}
}

func large(writer http.ResponseWriter, request *http.Request) {
	count, err := strconv.Atoi(request.FormValue("size"))
	if err != nil {
		panic(err)
	}
	writer.Header().Set("content-type", "text/plain")
	io.WriteString(writer, strings.Repeat("x", count))
}

func sleep(writer http.ResponseWriter, request *http.Request) {
	milliseconds, err := strconv.Atoi(request.FormValue("ms"))
	if err != nil {
		panic(err)
	}
	time.Sleep(time.Duration(milliseconds) * time.Millisecond)
	reply(writer, 200, map[string]any{"slept": milliseconds})
}
