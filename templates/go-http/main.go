package main

import (
	"encoding/json"
	"log"
	"net/http"
)

func main() {
	http.HandleFunc("GET /items/{id}", func(writer http.ResponseWriter, request *http.Request) {
		reply(writer, map[string]string{"id": request.PathValue("id")})
	})
	http.HandleFunc("/", func(writer http.ResponseWriter, request *http.Request) {
		reply(writer, map[string]string{"message": "Hello from {{name}}, in Go!"})
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}

func reply(writer http.ResponseWriter, value any) {
	writer.Header().Set("content-type", "application/json")
	if err := json.NewEncoder(writer).Encode(value); err != nil {
		log.Print(err)
	}
}
