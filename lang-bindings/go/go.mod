module lambkin.dev/go

go 1.24
