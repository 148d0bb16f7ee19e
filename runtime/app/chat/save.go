package chat

import "fmt"

// save writes the conversation as it is, the last answer with its end, so that
// another can go on behind it.
func save(t *talk, path string) error {
	if len(t.messages) == 0 {
		return errNothingSaid
	}
	stopped, err := t.read(false)
	if err != nil {
		return err
	}
	if stopped {
		t.note("(stopped: nothing is saved)")
		return nil
	}
	t.keep()
	if err := t.codec.Save(path, t.snapshot()); err != nil {
		return err
	}
	t.note("(%s: %d tokens)", path, t.state.Pos())
	return nil
}

// load begins a conversation behind what a file holds. The messages in there are
// not known: they cannot be taken back.
func load(t *talk, path string) error {
	base, err := t.codec.Load(path)
	if err != nil {
		return err
	}
	before := *t.branch
	t.messages, t.reading = nil, newReading(t.engine, base)
	if err := t.continuable(); err != nil {
		*t.branch = before
		return fmt.Errorf("%s: %w", path, err)
	}
	t.note("(%s: %d tokens)", path, t.state.Pos())
	return nil
}
