package terminal

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// screen is a terminal as its manual describes it: characters that are written in
// the last column stay there until another comes.
type screen struct {
	mu            sync.Mutex
	t             *testing.T
	width, height int
	rows          [][]string // cells; "" is the right half of a wide character
	row, column   int
	rest          string
}

func newScreen(t *testing.T, width, height int) *screen {
	s := &screen{t: t, width: width, height: height}
	for range height {
		s.rows = append(s.rows, make([]string, width))
	}
	for i := range s.rows {
		s.erase(i, 0)
	}
	return s
}

func (s *screen) erase(row, from int) {
	for i := from; i < s.width; i++ {
		s.rows[row][i] = " "
	}
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest += string(b)
	for s.rest != "" {
		s.one()
	}
	return len(b), nil
}

// one takes a character or a sequence.
func (s *screen) one() {
	r, n := utf8.DecodeRuneInString(s.rest)
	text := s.rest[:n]
	switch r {
	case '\r':
		s.column = 0
	case '\n':
		s.down()
	case '\a':
	case 0x1b:
		n = s.sequence()
	default:
		s.put(r, text)
	}
	s.rest = s.rest[n:]
}

// down scrolls at the end.
func (s *screen) down() {
	if s.row+1 < s.height {
		s.row++
		return
	}
	s.rows = append(s.rows[1:], make([]string, s.width))
	s.erase(s.row, 0)
}

func (s *screen) put(r rune, text string) {
	n := columns(r)
	if n == 0 {
		s.rows[s.row][max(0, s.column-1)] += text
		return
	}
	if s.column+n > s.width {
		s.column = 0
		s.down()
	}
	s.rows[s.row][s.column] = text
	if n == 2 {
		s.rows[s.row][s.column+1] = ""
	}
	s.column += n
}

func (s *screen) sequence() int {
	end := strings.IndexFunc(s.rest[2:], func(r rune) bool { return r >= 0x40 && r <= 0x7e })
	if !strings.HasPrefix(s.rest, "\x1b[") || end < 0 {
		s.t.Fatalf("a sequence that no terminal knows: %q", s.rest)
	}
	argument, name := s.rest[2:2+end], s.rest[2+end]
	n, err := strconv.Atoi(argument)
	if err != nil {
		n = 0
	}
	switch name {
	case 'A':
		if s.row -= n; s.row < 0 {
			s.t.Errorf("the cursor is sent above the top")
			s.row = 0
		}
	case 'C':
		s.column += n
	case 'H':
		s.row, s.column = 0, 0
	case 'J':
		from := min(s.column, s.width-1)
		if n == 2 {
			from = 0
		}
		first := s.row
		if n == 2 {
			first = 0
		}
		s.erase(first, from)
		for i := first + 1; i < s.height; i++ {
			s.erase(i, 0)
		}
	default:
		s.t.Fatalf("a sequence that this terminal does not know: %q", s.rest[:3+end])
	}
	return 3 + end
}

// String is what is to be seen, with the cursor as an underscore before a
// character, without empty rows at the end.
func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for i, row := range s.rows {
		for j, cell := range row {
			if i == s.row && j == s.column {
				b.WriteByte('_')
			}
			b.WriteString(cell)
		}
		if i == s.row && s.column == s.width {
			b.WriteByte('_')
		}
		fmt.Fprintln(&b)
	}
	var list []string
	for line := range strings.Lines(b.String()) {
		list = append(list, strings.TrimRight(line, " \n"))
	}
	return strings.TrimRight(strings.Join(list, "\n"), "\n")
}
