package app

import "os"

var tokensCommand = Command{
	Name:    "tokens",
	Summary: "turn text into token ids and back",
	Run:     (*Session).tokens,
	Help: `Prints the token ids of a text, or with --decode the text of ids.

  %[1]s tokens "func main() {"
  %[1]s tokens < main.go
  %[1]s tokens --decode "343 692"

The text is an argument, --prompt-file or, without either or with -, standard
input.

  --prompt-file FILE  read from a file
  --decode            ids, separated by spaces or commas, to text
  --no-special        add no special tokens; with --decode, print none

Ids are separated by single spaces and end with a newline; text is printed as
it is.
`,
}

func (s *Session) tokens(args []string) error {
	f := NewFlags("tokens")
	file := f.String("prompt-file", "", "")
	decode := f.Bool("decode", false, "")
	plain := f.Bool("no-special", false, "")
	arguments, err := Parse(f, args, 1)
	if err != nil {
		return err
	}
	if len(arguments) == 1 && *file != "" {
		return Usagef("more than one text: give an argument, - or --prompt-file")
	}
	if len(arguments) == 0 {
		arguments = []string{"-"}
	}
	m, err := s.Load()
	if err != nil {
		return err
	}
	defer m.Close()
	text, err := s.Text(arguments, *file)
	if err != nil {
		return err
	}
	if *decode {
		return s.printText(m, text, *plain)
	}
	return s.printTokens(m, text, !*plain)
}

// Text is that of the only argument, all of stdin for "-", or a file's.
func (s *Session) Text(arguments []string, file string) (string, error) {
	if file == "" {
		return s.argument(arguments)
	}
	text, err := os.ReadFile(file)
	return string(text), err
}

func (s *Session) printTokens(m *Artifact, text string, special bool) error {
	t, err := m.Text()
	if err != nil {
		return err
	}
	ids, err := t.AppendEncode(nil, text, special)
	if err != nil {
		return err
	}
	e := idEmitter{printer: printer{w: s.Out}}
	for _, id := range ids {
		if err := e.add(int(id)); err != nil {
			return err
		}
	}
	return e.end()
}

func (s *Session) printText(m *Artifact, list string, skipSpecial bool) error {
	t, err := m.Text()
	if err != nil {
		return err
	}
	ids, err := ParseIDs(list)
	if err != nil {
		return err
	}
	p := printer{w: s.Out, escape: s.Terminal}
	if err := p.print(t.AppendDecode(nil, ids, skipSpecial)); err != nil {
		return err
	}
	return p.endLine()
}
