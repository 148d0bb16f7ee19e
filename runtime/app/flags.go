package app

import (
	"errors"
	"flag"
	"io"
	"strconv"
	"strings"
)

var errHelp = errors.New("help wanted")

// NewFlags makes an empty set; what is wrong is reported by Parse alone.
func NewFlags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f
}

// Parse takes flags before, between and behind the other arguments, which it
// returns; behind "--" everything is an argument. At most limit are accepted.
func Parse(f *flag.FlagSet, args []string, limit int) ([]string, error) {
	var rest []string
	for len(args) > 0 {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, errHelp
			}
			return nil, Usagef("%v", err)
		}
		left := f.Args()
		if ended := len(left) < len(args) && args[len(args)-len(left)-1] == "--"; ended {
			rest = append(rest, left...)
			break
		}
		if len(left) == 0 {
			break
		}
		rest = append(rest, left[0])
		args = left[1:]
	}
	if len(rest) > limit {
		return nil, Usagef("unexpected argument %q", rest[limit])
	}
	return rest, nil
}

// given reports whether a flag was set by the user.
func given(f *flag.FlagSet, name string) bool {
	found := false
	f.Visit(func(g *flag.Flag) { found = found || g.Name == name })
	return found
}

// texts is a flag that may be given more than once.
type texts []string

func (t *texts) String() string { return strings.Join(*t, ",") }

func (t *texts) Set(text string) error {
	if text == "" {
		return errors.New("is empty")
	}
	*t = append(*t, text)
	return nil
}

// numbers is a flag that holds integers ≥ 0 separated by commas.
type numbers []int

func (n *numbers) String() string {
	var list []string
	for _, v := range *n {
		list = append(list, strconv.Itoa(v))
	}
	return strings.Join(list, ",")
}

func (n *numbers) Set(text string) error {
	*n = nil
	for _, field := range strings.Split(text, ",") {
		v, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || v < 0 {
			return errors.New("want numbers ≥ 0 separated by commas")
		}
		*n = append(*n, v)
	}
	return nil
}

// ParseIDs reads token ids separated by commas, spaces or both.
func ParseIDs(text string) ([]int32, error) {
	ids := []int32{}
	fields := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' || r == '\r' })
	for _, field := range fields {
		id, err := strconv.ParseInt(field, 10, 32)
		if err != nil {
			return nil, Usagef("%q is no token id; want whole numbers separated by commas", field)
		}
		ids = append(ids, int32(id))
	}
	return ids, nil
}
