package app

import (
	"context"
	"flag"
	"io"
	"os"
)

// prompt is where a text or its ids come from; exactly one source.
type prompt struct {
	file string
	ids  string
	more bool // it follows a state, which says enough without
	set  func(name string) bool
}

func (p *prompt) register(f *flag.FlagSet) {
	f.StringVar(&p.file, "prompt-file", "", "")
	f.StringVar(&p.ids, "ids", "", "")
	p.set = func(name string) bool { return given(f, name) }
}

// check refuses two sources at once.
func (p *prompt) check(arguments []string) error {
	sources := len(arguments)
	for _, name := range []string{"prompt-file", "ids"} {
		if p.set(name) {
			sources++
		}
	}
	if sources > 1 {
		return Usagef("more than one prompt: give an argument, --prompt-file or --ids")
	}
	return nil
}

// byIDs reports whether the prompt is given as ids, taken as they are.
func (p *prompt) byIDs() bool { return p.set("ids") }

// read is the prompt's text.
func (p *prompt) read(s *Session, arguments []string) (string, error) {
	if p.set("prompt-file") {
		text, err := os.ReadFile(p.file)
		return string(text), err
	}
	return s.argument(arguments)
}

// argument is the text of the only argument, all of stdin for "-", or "".
func (s *Session) argument(arguments []string) (string, error) {
	if len(arguments) == 0 {
		return "", nil
	}
	if arguments[0] != "-" {
		return arguments[0], nil
	}
	return readAll(s.Context, s.In)
}

// readAll reads to the end unless ctx ends first: a read cannot be
// interrupted, so it is left behind then.
func readAll(ctx context.Context, r io.Reader) (string, error) {
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := io.ReadAll(r)
		done <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case got := <-done:
		return string(got.text), got.err
	}
}

// encode turns the prompt into ids, a text as begin does; text is what it was made
// of.
func (p *prompt) encode(s *Session, begin func(text string) ([]int, error), arguments []string) (ids []int, text string, err error) {
	if p.byIDs() {
		list, err := ParseIDs(p.ids)
		if err == nil && len(list) == 0 && !p.more {
			err = Usagef("--ids is empty")
		}
		for _, id := range list {
			ids = append(ids, int(id))
		}
		return ids, "", err
	}
	if text, err = p.read(s, arguments); err != nil {
		return nil, "", err
	}
	ids, err = begin(text)
	return ids, text, err
}
