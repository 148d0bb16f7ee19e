package stop

import (
	"strings"
	"testing"
)

// feed passes text through in pieces of n bytes.
func feed(s *Stopper, text string, n int) (string, bool) {
	var out []byte
	for len(text) > 0 {
		piece, stopped := s.Take([]byte(text[:min(n, len(text))]))
		out = append(out, piece...)
		if stopped {
			return string(out), true
		}
		text = text[min(n, len(text)):]
	}
	return string(append(out, s.Rest()...)), false
}

func TestStopper(t *testing.T) {
	cases := []struct {
		text, stops, want string
		stopped           bool
	}{
		{"hello world", "wor", "hello ", true},
		{"hello world", "xyz", "hello world", false},
		{"aaab", "aab", "a", true},
		{"one two three", "three|two", "one ", true},
		{"ends with th", "three", "ends with th", false},
		{"", "x", "", false},
		{"héllo", "é", "h", true},
	}
	for _, c := range cases {
		for n := 1; n <= 5; n++ {
			var s Stopper
			for _, stop := range strings.Split(c.stops, "|") {
				s.Texts = append(s.Texts, []byte(stop))
			}
			if got, stopped := feed(&s, c.text, n); got != c.want || stopped != c.stopped {
				t.Errorf("%q until %q in pieces of %d: %q, %v; want %q, %v", c.text, c.stops, n, got, stopped, c.want, c.stopped)
			}
		}
	}
}
