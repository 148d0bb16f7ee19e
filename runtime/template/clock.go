package template

import (
	"fmt"
	"strings"
	"time"
)

// Now is strftime_now: the time of the rendering in a format of C's strftime, in
// English.
func (r *Run) Now(format Value) Value {
	layout := r.text(format)
	if r.ended() {
		return Value{}
	}
	now := r.now()
	var b strings.Builder
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' {
			b.WriteByte(layout[i])
			continue
		}
		i++
		plain := strings.HasPrefix(layout[i:], "-")
		if plain {
			i++
		}
		if i >= len(layout) {
			return r.fail("strftime_now: %s ends within a directive", quote(layout))
		}
		s, ok := timePart(now, layout[i])
		if !ok {
			return r.fail("strftime_now: there is no %%%c", layout[i])
		}
		if plain {
			s = strings.TrimLeft(s[:len(s)-1], "0") + s[len(s)-1:]
		}
		b.WriteString(s)
	}
	return r.madeText(b.String())
}

// timePart is what a directive of strftime stands for.
func timePart(t time.Time, directive byte) (string, bool) {
	if layout, ok := timeLayouts[directive]; ok {
		return t.Format(layout), true
	}
	switch directive {
	case '%':
		return "%", true
	case 'w':
		return fmt.Sprint(int(t.Weekday())), true
	case 'u':
		return fmt.Sprint((int(t.Weekday())+6)%7 + 1), true
	case 's':
		return fmt.Sprint(t.Unix()), true
	case 'f':
		return fmt.Sprintf("%06d", t.Nanosecond()/1000), true
	}
	return "", false
}

// timeLayouts are those that package time has a layout for.
var timeLayouts = map[byte]string{
	'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'e': "_2", 'j': "002",
	'B': "January", 'b': "Jan", 'h': "Jan", 'A': "Monday", 'a': "Mon",
	'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'z': "-0700", 'Z': "MST",
	'F': "2006-01-02", 'T': "15:04:05", 'D': "01/02/06", 'R': "15:04",
	'c': "Mon Jan _2 15:04:05 2006", 'x': "01/02/06", 'X': "15:04:05",
}
