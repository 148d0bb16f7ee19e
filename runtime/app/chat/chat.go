// Package chat is the command that converses in a terminal; it sees the runtime
// only.
package chat

import (
	"errors"

	"github.com/mambac/mambac/runtime/app"
)

// Command is what a program has that was built --with chat.
var Command = app.Command{
	Name:    "chat",
	Summary: "converse in the terminal",
	Run:     run,
	Help: `Converses. What you write becomes a message, in the form of the checkpoint's
chat template; the model's answer is printed as it comes.

  %[1]s chat
  %[1]s chat --system "Answer in one sentence." --temperature 0.7
  %[1]s chat --state manual.state
  printf 'Hello.\nAnd now?\n' | %[1]s chat

Ctrl-C ends an answer; what was printed of it stays. Ctrl-D, or Ctrl-C twice at
an empty line, ends the program. A line that begins with / is a command: /help
lists them. What has been read is not read again. If standard input is no
terminal, each of its lines is a message, and only answers are printed.

  --system TEXT            what the conversation begins with
  --plain                  without a template: the text simply goes on, your
                           words and the model's in turn
  --state FILE             begin behind what a state file has read
  --no-history             keep no history of what was typed

  -n N                     at most N tokens an answer (default 1024; -1: no
                           bound)
  --stop TEXT              end an answer before this text; may be repeated
  --ignore-eos             go on behind end tokens
  --temperature T          0 takes the likeliest token always (default 0)
  --top-k K                sample among the K likeliest (default 0: all)
  --top-p P                sample among the likeliest that make up P (default 1)
  --min-p P                drop tokens below P times the likeliest (default 0)
  --repetition-penalty R   above 1, tokens of the conversation so far lose
                           (default 1)
  --seed S                 same seed, same answers (default: drawn, see /stats)
  --threads N              workers (default: physical cores available)
  --context N              of a model with attention, tokens of a conversation;
                           a longest text that info tells of bounds it anyway
  --mmap                   leave the weights to the page cache
`,
}

func run(s *app.Session, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	m, err := s.Start(o.Workers)
	if err != nil {
		return err
	}
	defer m.Close()
	t, err := newTalk(s, o, m)
	if err != nil {
		return err
	}
	leave := t.enter(s)
	defer func() { err = errors.Join(err, leave()) }() // a panic leaves no terminal without echo
	return t.run()
}
