package family

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Keys is a config.json: its top-level keys, undecoded.
type Keys map[string]json.RawMessage

// bareNumbers are tokens that Python writes and JSON does not have. Outside
// strings they become the strings that Number understands.
var bareNumbers = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?Infinity|NaN`)

// ParseKeys reads a config.json, with the bare Infinity and NaN of older
// files (families.md §1.2).
func ParseKeys(data []byte) (Keys, error) {
	data = bareNumbers.ReplaceAllFunc(data, func(tok []byte) []byte {
		if tok[0] == '"' {
			return tok
		}
		return []byte(`"` + string(tok) + `"`)
	})
	var k Keys
	if err := json.Unmarshal(data, &k); err != nil {
		return nil, fmt.Errorf("is no JSON object: %s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	if k == nil {
		return nil, errors.New("is null, want an object")
	}
	return k, nil
}

// reader decodes keys; the first error sticks and names its key.
type reader struct {
	keys Keys
	err  error
}

// decode stores the first of the named keys that is there and not null.
func (r *reader) decode(dst any, names ...string) bool {
	for _, name := range names {
		raw, ok := r.keys[name]
		if !ok || string(raw) == "null" {
			continue
		}
		if err := json.Unmarshal(raw, dst); err != nil && r.err == nil {
			r.err = fmt.Errorf("config.json: %s: %s is not a %T", name, abbreviate(raw), dst)
		}
		return true
	}
	return false
}

func abbreviate(raw []byte) string {
	if len(raw) > 40 {
		return string(raw[:40]) + "…"
	}
	return string(raw)
}

// size reads a positive integer, or gives the default.
func (r *reader) size(fallback int, names ...string) int {
	n := fallback
	if r.decode(&n, names...) && (n <= 0 || n > 1<<30) && r.err == nil {
		r.err = fmt.Errorf("config.json: %s: %d is no size", names[0], n)
	}
	return n
}

func (r *reader) flag(fallback bool, names ...string) bool {
	r.decode(&fallback, names...)
	return fallback
}

func (r *reader) text(fallback string, names ...string) string {
	r.decode(&fallback, names...)
	return fallback
}

func (r *reader) number(fallback float64, names ...string) float64 {
	r.decode(&fallback, names...)
	return fallback
}

// sizeOrAuto reads a size that may be the word "auto".
func (r *reader) sizeOrAuto(auto int, names ...string) int {
	for _, name := range names {
		if string(r.keys[name]) == `"auto"` {
			return auto
		}
	}
	return r.size(auto, names...)
}

// IDs reads token ids: a number or a list (families.md does not fix which).
func (k Keys) IDs(name string) []int32 {
	var one int32
	var list []int32
	raw, ok := k[name]
	switch {
	case !ok || string(raw) == "null":
	case json.Unmarshal(raw, &one) == nil:
		return []int32{one}
	case json.Unmarshal(raw, &list) == nil:
		return list
	}
	return nil
}
