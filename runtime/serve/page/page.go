// Package page is the page on which one talks to a model in a browser, as files;
// it sees the runtime only.
package page

import (
	"embed"
	"path"

	"github.com/mambac/mambac/runtime/heat"
)

//go:embed *.html *.css *.js *.svg
var files embed.FS

// File is a file as it is sent.
type File struct {
	Type string
	Data []byte
}

// types are what systems call otherwise.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// Files are the files by their paths on the server. The page itself is at its
// root.
func Files() map[string]File {
	list := map[string]File{"/heat.css": {types[".css"], []byte(heat.Style)}}
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	for _, e := range entries {
		data, err := files.ReadFile(e.Name())
		if err != nil {
			panic("BUG: " + err.Error())
		}
		at := "/" + e.Name()
		if e.Name() == "index.html" {
			at = "/"
		}
		list[at] = File{types[path.Ext(e.Name())], data}
	}
	return list
}
