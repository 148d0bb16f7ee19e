// Package state is the command that saves what a model has read, and keeps a
// library of it; it sees the runtime only.
package state

import "github.com/mambac/mambac/runtime/app"

// Command is what a program has that was built --with state.
var Command = app.Command{
	Name:    "state",
	Summary: "keep what was read, in files and a library",
	Run:     run,
	Help: `Reads a text and keeps what the model makes of it, its state, in a file: as
large for a book as for a sentence, or where the model has attention, larger by
a bit for each token. To go on from it nothing is read again.

  %[1]s state save --prompt-file manual.txt --label "the manual" -o manual.state
  %[1]s run --state manual.state "To restore a backup, "
  %[1]s state info manual.state

  %[1]s state lib add manual manual.txt appendix.txt --label "the manual"
  %[1]s state lib add faq --from manual faq.txt
  %[1]s state lib list
  %[1]s state lib show manual
  %[1]s state lib fork manual mine
  %[1]s state lib delete mine
  %[1]s state lib verify

save [PROMPT|-] -o FILE     read a text and save the state
info FILE                   what a state file says of itself, and whether it is
                            whole and of this model
lib add NAME [FILE|-]...    read texts, one behind the other, into the library
lib list                    the states of the library
lib show NAME               one of them, and where its file is
lib fork NAME NEW           copy it, to go on from there
lib delete NAME             remove it
lib verify [NAME]           read it, or all, and prove that nothing was altered

  -o FILE             where to save; it is the old file or the whole new one
  --prompt TEXT       a text, as the argument is; also of lib add
  --prompt-file FILE  read it from a file
  --ids 1,2,3         token ids instead of a text, taken as they are
  --from FILE|NAME    go on from a state, save from a file and lib add from the
                      library; the text is read behind it as it is
  --label TEXT        what it is, for people
  --source TEXT       what the text is from (default: the names of the files)
  --created           save the time too; the library always has it
  --replace           lib add takes the place of a state of the same name
  --library DIR       another folder than the one among your data; states of
                      several models may lie in one
  --json              one JSON object: info, list, show, verify
  -q                  tell nothing of the progress
  --threads N         workers (default: physical cores available)
  --context N         of a model with attention, tokens at most; a longest text
                      that info tells of is a bound anyway
  --mmap              leave the weights to the page cache

Names have letters a to z, digits, dots, hyphens and underscores. The library is
its owner's alone (mode 0700, files 0600) and refuses what is not.
`,
}

// command is a word behind state, or behind lib.
type command struct {
	name string
	run  func(s *app.Session, args []string) error
}

var commands = []command{{"save", save}, {"info", info}, {"lib", lib}}

func run(s *app.Session, args []string) error { return dispatch(s, "state", commands, args) }

// dispatch runs the command that the first argument names.
func dispatch(s *app.Session, of string, list []command, args []string) error {
	names := ""
	for i, c := range list {
		if len(args) > 0 && args[0] == c.name {
			return c.run(s, args[1:])
		}
		if i > 0 {
			names += ", "
		}
		names += c.name
	}
	if len(args) == 0 {
		return app.Usagef("%s: what of it? one of %s", of, names)
	}
	if _, err := app.Parse(app.NewFlags(of), args[:1], 1); err != nil {
		return err // help, or a flag too early
	}
	return app.Usagef("%s: unknown command %q; one of %s", of, args[0], names)
}
