package synth

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// maxSize bounds every size of a config; the product is checked apart.
const maxSize = 1 << 24

// config reads fields of a config.json; the first error sticks.
type config struct {
	fields map[string]json.RawMessage
	known  map[string]bool // keys that somebody has asked for
	prefix string          // of key names in errors: "" or "ssm_cfg."
	err    error
}

func parseConfig(text []byte) (*config, error) {
	c := &config{known: map[string]bool{}}
	if err := json.Unmarshal(text, &c.fields); err != nil {
		return nil, fmt.Errorf("not a config: %w", err)
	}
	if c.fields == nil {
		return nil, errors.New("not a config: null")
	}
	return c, nil
}

// has reports whether a key is there and not null.
func (c *config) has(key string) bool {
	c.known[key] = true
	value, ok := c.fields[key]
	return ok && string(value) != "null"
}

// text is a string, "" if it is absent.
func (c *config) text(key string) string {
	var s string
	c.read(key, &s)
	return s
}

// size is a positive number, or the default if it is absent.
func (c *config) size(key string, absent int) int { return c.atLeast(1, key, absent) }

// count is size for what there may be none of.
func (c *config) count(key string, absent int) int { return c.atLeast(0, key, absent) }

func (c *config) atLeast(least int, key string, absent int) int {
	n := absent
	c.read(key, &n)
	if n < least || n > maxSize {
		c.fail(key, fmt.Errorf("have %d, want %d to %d", n, least, maxSize))
		return max(least, 1)
	}
	return n
}

// maxLayers bounds what is listed one by one: layers, and experts of a layer.
const maxLayers = 1 << 14

// layers is a number of layers, or the default if it is absent.
func (c *config) layers(key string, absent int) int {
	n := c.size(key, absent)
	if n > maxLayers {
		c.fail(key, fmt.Errorf("have %d, want 1 to %d", n, maxLayers))
		return 1
	}
	return n
}

// sizeOrAuto is size for a key that may also say "auto".
func (c *config) sizeOrAuto(key string, auto int) int {
	if c.has(key) && string(c.fields[key]) == `"auto"` {
		return auto
	}
	return c.size(key, auto)
}

// expanded is the inner size: the hidden size times a factor, which need not be
// whole.
func (c *config) expanded(key string, hidden int) int {
	expand := c.number(key, 2)
	n := int(min(expand*float64(hidden), 2*maxSize))
	if n < 1 || n > maxSize {
		c.fail(key, fmt.Errorf("have %v, of which with hidden size %d no inner size can be made", expand, hidden))
		return 1
	}
	return n
}

// number is a number, or the default if it is absent.
func (c *config) number(key string, absent float64) float64 {
	c.read(key, &absent)
	return absent
}

// positive is number for a multiplier that weights are to make up for.
func (c *config) positive(key string, absent float64) float64 {
	v := c.number(key, absent)
	if !(v > 0 && v < 1e6) {
		c.fail(key, fmt.Errorf("have %v, want more than 0 and no more than a million", v))
		return 1
	}
	return v
}

// positives is a list of that many multipliers, all 1 if it is absent.
func (c *config) positives(key string, n int) []float64 {
	list := slices.Repeat([]float64{1}, n)
	c.read(key, &list)
	if len(list) != n || slices.ContainsFunc(list, func(v float64) bool { return !(v > 0 && v < 1e6) }) {
		c.fail(key, fmt.Errorf("have %v, want %d positive numbers", list, n))
		return slices.Repeat([]float64{1}, n)
	}
	return list
}

// indices is a set of layers, each below n.
func (c *config) indices(key string, n int) map[int]bool {
	var list []int
	c.read(key, &list)
	set := map[int]bool{}
	for _, i := range list {
		if i < 0 || i >= n {
			c.fail(key, fmt.Errorf("have %d among %d layers", i, n))
		}
		set[i] = true
	}
	return set
}

// flag is a boolean, or the default if it is absent.
func (c *config) flag(key string, absent bool) bool {
	c.read(key, &absent)
	return absent
}

// object is a config within the config, empty if it is absent. Its error is to
// be joined.
func (c *config) object(key string) *config {
	inner := &config{known: map[string]bool{}, prefix: c.prefix + key + "."}
	c.read(key, &inner.fields)
	return inner
}

// join takes over the error of a config within this one.
func (c *config) join(inner *config) {
	if c.err == nil {
		c.err = inner.err
	}
}

func (c *config) read(key string, into any) {
	if !c.has(key) {
		return
	}
	if err := json.Unmarshal(c.fields[key], into); err != nil {
		c.fail(key, err)
	}
}

func (c *config) fail(key string, err error) {
	if c.err == nil {
		c.err = fmt.Errorf("config %s%s: %w", c.prefix, key, err)
	}
}

// whole fails unless one size is a multiple of another, and gives the quotient.
func (c *config) whole(key, what string, n int, of string, by int) int {
	if n%by != 0 {
		c.fail(key, fmt.Errorf("%s %d is no multiple of %s %d", what, n, of, by))
		return 1
	}
	return n / by
}

// set gives a key a value that follows from others.
func (c *config) set(key string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	c.known[key] = true
	if c.fields == nil {
		c.fields = map[string]json.RawMessage{}
	}
	c.fields[key] = text
}

// setAbsent is set for a key that the config does not have.
func (c *config) setAbsent(key string, value any) {
	if !c.has(key) {
		c.set(key, value)
	}
}

// names lists the keys that a family knows.
func (c *config) names() []string { return slices.Sorted(maps.Keys(c.known)) }

func itoa(n int) string { return strconv.Itoa(n) }

// roundUp is the least multiple of step that is not below n.
func roundUp(n, step int) int { return (n + step - 1) / step * step }

// divisor is the greatest divisor of n that is at most most.
func divisor(n, most int) int {
	for d := min(n, most); d > 1; d-- {
		if n%d == 0 {
			return d
		}
	}
	return 1
}

// factor is the number of which the hidden size times it, cut to a whole
// number, is the inner size.
func factor(inner, hidden int) float64 {
	f := float64(inner) / float64(hidden)
	for int(f*float64(hidden)) < inner {
		f = math.Nextafter(f, math.Inf(1))
	}
	return f
}
