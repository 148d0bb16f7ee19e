package payload

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// LinkVariable is what the linker sets, by -X, to the text of a Link: it makes
// a program whose payload is a file of its own.
const LinkVariable = "github.com/mambac/mambac/runtime/payload.link"

var link string

// Link is what a program knows of its payload file, and what the metadata in
// that file leaves to it: a file with neither in it serves every program that
// was made of one checkpoint.
type Link struct {
	Path   string          `json:"path"`   // from the program's folder, with slashes, or absolute
	Digest string          `json:"digest"` // in hex, of the file's Writer
	Mambac string          `json:"mambac"`
	Levels []string        `json:"levels"`
	Tuning string          `json:"tuning,omitempty"`
	Report json.RawMessage `json:"report,omitempty"`
}

// Encode gives the text that the linker needs: it has no quotes or spaces.
func (l *Link) Encode() (string, error) {
	text, err := json.Marshal(l)
	return base64.RawURLEncoding.EncodeToString(text), err
}

func parseLink(text string) (*Link, error) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("BUG: payload link: %w", err)
	}
	l := new(Link)
	if err := json.Unmarshal(data, l); err != nil {
		return nil, fmt.Errorf("BUG: payload link: %w", err)
	}
	return l, nil
}

// open opens the payload of the program at the path.
func (l *Link) open(program string) (*Payload, error) {
	path := filepath.FromSlash(l.Path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(program), path)
	}
	p, err := openFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w; it holds the weights of %s, put it back%s", path, os.ErrNotExist, filepath.Base(program), grant)
	}
	if err != nil {
		return nil, err
	}
	if hex.EncodeToString(p.foot.body[:]) != l.Digest {
		p.Close()
		return nil, fmt.Errorf("%s: is not the payload that %s was built with; build both again", path, program)
	}
	p.program = program
	p.metadata.Mambac, p.metadata.Levels, p.metadata.Tuning, p.metadata.Report = l.Mambac, l.Levels, l.Tuning, l.Report
	return p, nil
}

// openOwn opens the payload of the running program, if its file is at the
// path.
func openOwn(program string) (*Payload, error) {
	if link == "" {
		return Open(program)
	}
	l, err := parseLink(link)
	if err != nil {
		return nil, err
	}
	return l.open(program)
}
