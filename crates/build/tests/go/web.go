// Command main is an ordinary web server.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(writer http.ResponseWriter, request *http.Request) {
		writer.Header().Add("X-Multi", "one")
		writer.Header().Add("X-Multi", "two")
		fmt.Fprintf(writer, "hello %s of %s from %s", request.PathValue("name"), request.Host, request.RemoteAddr)
	})
	mux.HandleFunc("/method", func(writer http.ResponseWriter, request *http.Request) {
		fmt.Fprint(writer, request.Method, " ", request.ContentLength, " ", request.FormValue("q"))
	})
	mux.HandleFunc("POST /echo", func(writer http.ResponseWriter, request *http.Request) {
		if _, err := io.Copy(writer, request.Body); err != nil {
			panic(err)
		}
	})
	mux.HandleFunc("POST /length", func(writer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		fmt.Fprint(writer, len(body), " ", err)
	})
	mux.HandleFunc("GET /stream", func(writer http.ResponseWriter, _ *http.Request) {
		ticks := make(chan int)
		go func() {
			defer close(ticks)
			for tick := range 3 {
				time.Sleep(10 * time.Millisecond)
				ticks <- tick
			}
		}()
		for tick := range ticks {
			fmt.Fprint(writer, tick, ";")
			writer.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("GET /empty", func(writer http.ResponseWriter, _ *http.Request) { writer.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /throw", func(http.ResponseWriter, *http.Request) { panic("boom") })
	mux.HandleFunc("GET /fetch", func(writer http.ResponseWriter, _ *http.Request) {
		_, err := http.Get("https://example.com/")
		fmt.Fprint(writer, err)
	})
	server := &http.Server{Addr: os.Getenv("ADDRESS"), Handler: mux}
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
