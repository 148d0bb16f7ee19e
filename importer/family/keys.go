package family

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Keys is a config.json: its top-level keys, undecoded.
type Keys map[string]json.RawMessage

// get is the value of a key. A key that is null counts as none (families.md
// §1.2); only saysNull tells it from one that is absent.
func (k Keys) get(name string) (json.RawMessage, bool) {
	raw, ok := k[name]
	return raw, ok && string(raw) != "null"
}

// saysNull reports whether a key is there and null.
func (k Keys) saysNull(name string) bool { return string(k[name]) == "null" }

// bareNumbers are tokens that Python writes and JSON does not have. Outside
// strings they become the strings that number understands.
var bareNumbers = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?Infinity|NaN`)

// maxConfig bounds a config in bytes: it is text that is searched and parsed.
const maxConfig = 1 << 20

// ParseKeys reads a config.json, with the bare Infinity and NaN of older
// files (families.md §1.2).
func ParseKeys(data []byte) (Keys, error) {
	if len(data) > maxConfig {
		return nil, fmt.Errorf("is %d bytes long, want at most %d", len(data), maxConfig)
	}
	data = bareNumbers.ReplaceAllFunc(data, func(tok []byte) []byte {
		if tok[0] == '"' {
			return tok
		}
		return []byte(`"` + string(tok) + `"`)
	})
	var k Keys
	var wrongType *json.UnmarshalTypeError
	if err := json.Unmarshal(data, &k); errors.As(err, &wrongType) {
		return nil, fmt.Errorf("is a JSON %s, want an object", wrongType.Value)
	} else if err != nil {
		return nil, fmt.Errorf("is no JSON: %s", printable(err.Error()))
	}
	if k == nil {
		return nil, errors.New("is null, want an object")
	}
	return k, nil
}

// IDs reads token ids: a number or a list of them; none if the key is absent.
func (k Keys) IDs(name string) ([]int32, error) {
	raw, ok := k.get(name)
	if !ok {
		return nil, nil
	}
	var one int32
	if json.Unmarshal(raw, &one) == nil {
		return []int32{one}, nil
	}
	var list []int32
	if json.Unmarshal(raw, &list) != nil {
		return nil, wrong(name, raw, "a token id or a list of them")
	}
	return list, nil
}

// modelType is "" where a config has none.
func (k Keys) modelType() string {
	var s string
	if err := json.Unmarshal(k["model_type"], &s); err != nil {
		return ""
	}
	return s
}

func wrong(name string, raw []byte, want string) error {
	return fmt.Errorf("%s: have %s, want %s", name, short(raw), want)
}

// short shows a value of a config in an error.
func short(raw []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return printable(string(raw))
	}
	return printable(b.String())
}

// printable keeps text of a checkpoint to one line of bearable length, without
// characters that a terminal would obey.
func printable(s string) string {
	const most = 100
	tail := ""
	if len(s) > most {
		s, tail = strings.ToValidUTF8(s[:most], ""), "…"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || !strconv.IsPrint(r) }) {
		s = strconv.Quote(s)
	}
	return s + tail
}

// reader decodes keys; the first error sticks and names its key.
type reader struct {
	keys   Keys
	prefix string // of key names in errors: "" or "ssm_cfg."
	err    error
}

// decode stores the first of the named keys that is there, and gives its name.
func (r *reader) decode(dst any, want string, names ...string) string {
	for _, name := range names {
		raw, ok := r.keys.get(name)
		if !ok {
			continue
		}
		if err := json.Unmarshal(raw, dst); err != nil {
			r.fail(wrong(r.prefix+name, raw, want))
		}
		return r.prefix + name
	}
	return ""
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = fmt.Errorf("config.json: %w", err)
	}
}

// failed is the first error.
func (r *reader) failed() error { return r.err }

// maxSize bounds every size that a config may name.
const maxSize = 1 << 30

// size reads a positive whole number; n is 0 where the config does not say.
func (r *reader) size(what string, names ...string) size {
	s := size{what: what}
	if s.from = r.decode(&s.n, "a whole number", names...); s.from != "" && (s.n < 1 || s.n > maxSize) {
		r.fail(fmt.Errorf("%s: have %d, want 1 to %d", s.from, s.n, maxSize))
	}
	return s
}

// sizeOr is size with a fallback, for what cannot be read off shapes.
func (r *reader) sizeOr(fallback int, what string, names ...string) size {
	s := r.size(what, names...)
	if s.from == "" {
		return size{what, fallback, "the default of " + r.prefix + names[0]}
	}
	return s
}

// count reads a whole number that may be 0, or gives the fallback.
func (r *reader) count(fallback int, what, name string) size {
	s := size{what, fallback, "the default of " + r.prefix + name}
	if from := r.decode(&s.n, "a whole number", name); from != "" {
		s.from = from
	}
	if s.n < 0 || s.n > maxSize {
		r.fail(fmt.Errorf("%s: have %d, want 0 to %d", s.from, s.n, maxSize))
	}
	return s
}

// sizeOrAuto is size for a dt rank that may say "auto": a sixteenth of the
// hidden size, rounded up.
func (r *reader) sizeOrAuto(what, name string, hidden size) size {
	if string(r.keys[name]) != `"auto"` {
		return r.size(what, name)
	}
	return size{what, (hidden.n + 15) / 16, r.prefix + name}
}

func (r *reader) flag(fallback bool, name string) bool {
	r.decode(&fallback, "true or false", name)
	return fallback
}

// activations are the names of families.md §1.6 and those of the ops.
var activations = map[string]string{"silu": "silu", "swish": "silu", "gelu": "gelu", "gelu_pytorch_tanh": "gelu_tanh", "gelu_new": "gelu_tanh",
	"relu": "relu", "relu2": "relu2"}

// activation reads the name of an activation, silu if there is none, of which
// the family knows some or, if none is named, all.
func (r *reader) activation(name string, known ...string) string {
	return r.activationOr("silu", name, known...)
}

// activationOr is activation with another one where the config is silent.
func (r *reader) activationOr(fallback, name string, known ...string) string {
	if known == nil {
		known = slices.Sorted(maps.Keys(activations))
	}
	act := r.text(fallback, name)
	if !slices.Contains(known, act) {
		r.fail(fmt.Errorf("%s%s: %s is not supported; known are %s", r.prefix, name, printable(act), strings.Join(known, ", ")))
	}
	return activations[act]
}

func (r *reader) text(fallback, name string) string {
	r.decode(&fallback, "a string", name)
	return fallback
}

// number reads a number that float32 can hold, or gives the fallback.
func (r *reader) number(fallback float64, name string) float64 {
	n := number(fallback)
	r.decode(&n, "a number", name)
	switch v := float64(n); {
	case math.IsInf(v, 0) || math.IsNaN(v):
		r.fail(fmt.Errorf("%s: have %v, want a finite number", r.prefix+name, v))
	case math.Abs(v) > math.MaxFloat32:
		r.fail(fmt.Errorf("%s: have %v, want a number within ±%.3g", r.prefix+name, v, math.MaxFloat32))
	}
	return float64(n)
}

// multiplier reads a factor, 1 where the config is silent.
func (r *reader) multiplier(name string) float32 {
	v := float32(r.number(1, name))
	if v == 0 {
		r.fail(wrong(r.prefix+name, r.keys[name], "a number that is not 0"))
	}
	return v
}

// epsilon reads what is added to a mean square, or gives the fallback.
func (r *reader) epsilon(fallback float64, name string) float32 {
	v := r.number(fallback, name)
	if v < 0 || v > 1 {
		r.fail(fmt.Errorf("%s: have %v, want 0 to 1", r.prefix+name, v))
	}
	return float32(v)
}

// object reads a config within the config; empty where there is none.
func (r *reader) object(name string) *reader {
	inner := &reader{keys: Keys{}, prefix: r.prefix + name + "."}
	r.decode(&inner.keys, "an object", name)
	return inner
}

// take makes an error of a config within the config the outer one's.
func (r *reader) take(inner *reader) {
	if r.err == nil {
		r.err = inner.err
	}
}

// only fails for keys that would change what is computed.
func (r *reader) only(known []string) {
	for _, name := range slices.Sorted(maps.Keys(r.keys)) {
		if raw, ok := r.keys.get(name); ok && !slices.Contains(known, name) {
			r.fail(fmt.Errorf("%s: have %s, which is not supported; known are %s", r.prefix+printable(name), short(raw), strings.Join(known, ", ")))
		}
	}
}

// number is a float64 in any of the spellings of families.md §1.2: 1.5,
// "Infinity" as ParseKeys leaves it, {"__float__": "Infinity"}, 1e999.
type number float64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(raw []byte) error {
	var wrapped struct {
		Float json.RawMessage `json:"__float__"`
	}
	if json.Unmarshal(raw, &wrapped) == nil && wrapped.Float != nil {
		raw = wrapped.Float
	}
	var word string
	if json.Unmarshal(raw, &word) == nil {
		v, ok := map[string]float64{"Infinity": math.Inf(1), "-Infinity": math.Inf(-1), "NaN": math.NaN()}[word]
		if !ok {
			return fmt.Errorf("%q is no number", word)
		}
		*n = number(v)
		return nil
	}
	err := json.Unmarshal(raw, (*float64)(n))
	if v, wide := strconv.ParseFloat(string(raw), 64); errors.Is(wide, strconv.ErrRange) { // infinite, as Python reads it
		*n, err = number(v), nil
	}
	return err
}
