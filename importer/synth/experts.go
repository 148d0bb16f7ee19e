package synth

import "fmt"

// experts is their number, under one of several keys, of which top are chosen.
func (c *config) experts(top string, absent int, keys ...string) int {
	n := absent
	for _, key := range keys {
		if c.has(key) {
			n = c.count(key, absent)
		}
	}
	if n > maxLayers {
		c.fail(keys[0], fmt.Errorf("have %d, want at most %d", n, maxLayers))
		return 1
	}
	if chosen := c.count(top, 2); n > 0 && (chosen < 1 || chosen > n) {
		c.fail(top, fmt.Errorf("%d of %d experts cannot be chosen", chosen, n))
	}
	return n
}
