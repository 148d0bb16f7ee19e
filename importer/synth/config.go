package synth

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// maxSize bounds every size of a config; the product is checked apart.
const maxSize = 1 << 24

// config reads fields of a config.json; the first error sticks.
type config struct {
	fields map[string]json.RawMessage
	err    error
}

func parseConfig(text []byte) (*config, error) {
	c := &config{}
	if err := json.Unmarshal(text, &c.fields); err != nil {
		return nil, fmt.Errorf("not a config: %w", err)
	}
	return c, nil
}

// has reports whether a key is there and not null.
func (c *config) has(key string) bool {
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
func (c *config) size(key string, absent int) int {
	n := absent
	c.read(key, &n)
	if n < 1 || n > maxSize {
		c.fail(key, fmt.Errorf("have %d, want 1 to %d", n, maxSize))
		return 1
	}
	return n
}

// sizeOrAuto is size for a key that may also say "auto".
func (c *config) sizeOrAuto(key string, auto int) int {
	if string(c.fields[key]) == `"auto"` {
		return auto
	}
	return c.size(key, auto)
}

// expanded is the inner size: the hidden size times expand, a number that need
// not be whole.
func (c *config) expanded(hidden int) int {
	expand := 2.0
	c.read("expand", &expand)
	n := int(min(expand*float64(hidden), 2*maxSize))
	if n < 1 || n > maxSize {
		c.fail("expand", fmt.Errorf("have %v, of which with hidden size %d no inner size can be made", expand, hidden))
		return 1
	}
	return n
}

// flag is a boolean, or the default if it is absent.
func (c *config) flag(key string, absent bool) bool {
	c.read(key, &absent)
	return absent
}

// object is a config within the config, empty if it is absent.
func (c *config) object(key string) *config {
	inner := &config{}
	c.read(key, &inner.fields)
	return inner
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
		c.err = fmt.Errorf("config %s: %w", key, err)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// roundUp is the least multiple of step that is not below n.
func roundUp(n, step int) int { return (n + step - 1) / step * step }
