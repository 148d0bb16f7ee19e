module github.com/mambac/mambac/cmd/mambac/testdata/browser

go 1.26.0
