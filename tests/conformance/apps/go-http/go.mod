module conformance-go-http

go 1.24
