package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/sample"
	"github.com/mambac/mambac/runtime/stop"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// answer is a message that the model is writing.
type answer struct {
	sampler *sample.Sampler
	decoder *tokenizer.Decoder
	stopper stop.Stopper
	buffer  []byte
	text    strings.Builder
	ids     []int32
	ended   bool   // by an end token
	stopped bool   // before a stop text
	note    string // what the user should know of its end
}

// errNothing is a model that has nothing to say.
var errNothing = errors.New("the model gives no finite logit; are the weights damaged?")

// answer has the model write the next message, and reports whether there is one:
// an answer that was interrupted before its first word is none.
func (t *talk) answer() (answered bool, err error) {
	if stopped, err := t.read(true); stopped || err != nil {
		return false, err
	}
	t.keep()
	a, err := t.begin()
	if err != nil {
		return false, err
	}
	begun := time.Now()
	err = t.write(a)
	t.stats.wrote(len(a.ids), time.Since(begun))
	if end := t.finish(a); err == nil {
		err = end
	}
	if answered = a.text.Len() > 0 || a.ended || a.stopped; answered {
		t.messages = append(t.messages, message{role: assistant, text: a.text.String(), ids: a.ids})
		t.keep()
	}
	if a.note != "" {
		t.note("%s", a.note)
	}
	return answered, err
}

// read has the conversation read, asking for an answer or as it is, and reports
// whether an interrupt came before its end.
func (t *talk) read(asking bool) (stopped bool, err error) {
	ids, err := t.form.ids(t.messages, asking, t.behind())
	if err != nil {
		return false, err
	}
	if t.interrupted() {
		return true, nil
	}
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		select {
		case s := <-t.interrupts:
			t.signalled(s)
			cancel()
		case <-done:
		}
	}()
	begun := time.Now()
	spared, err := t.follow(ctx, ids)
	t.stats.read(len(t.ids)-spared, spared, time.Since(begun))
	close(done)
	<-gone
	if ctx.Err() != nil && t.ctx.Err() == nil {
		return true, nil
	}
	return false, err
}

// interrupted takes a signal, if one has come.
func (t *talk) interrupted() bool {
	select {
	case s := <-t.interrupts:
		t.signalled(s)
		return true
	default:
		return false
	}
}

// signalled remembers a signal that is more than an interrupt.
func (t *talk) signalled(s os.Signal) { t.over = t.over || s != os.Interrupt }

// begin prepares an answer behind what has been read.
func (t *talk) begin() (*answer, error) {
	if t.logits == nil {
		return nil, errors.New("there is nothing to go on from: the model has no token to begin with, or the state file no logits; write something first")
	}
	a := &answer{decoder: tokenizer.NewDecoder(t.tokenizer, true), stopper: stop.Stopper{Texts: t.options.stops}}
	o := t.options.sampling
	o.Seed += t.stats.answers // each answer has numbers of its own
	o.Allowed = t.tokenizer.Known
	t.stats.answers++
	var err error
	if a.sampler, err = sample.New(o, t.engine.Shape().Vocab); err != nil {
		return nil, err
	}
	for word, set := range t.base.Seen {
		for ; set != 0; set &= set - 1 {
			a.sampler.Accept(int32(word*64 + bits.TrailingZeros64(set)))
		}
	}
	if t.behind() {
		a.decoder.Continue()
	}
	for _, id := range t.ids {
		a.sampler.Accept(id)
		a.decoder.Resume(id)
	}
	return a, nil
}

// write has the model write token after token, and prints them.
func (t *talk) write(a *answer) error {
	for len(a.ids) != t.options.tokens {
		if err := t.ctx.Err(); err != nil {
			return err
		}
		if t.interrupted() {
			return nil
		}
		id := a.sampler.Next(t.logits)
		if id < 0 {
			return errNothing
		}
		if a.ended = !t.options.ignoreEOS && slices.Contains(t.meta.EOS, id); a.ended {
			return nil
		}
		a.sampler.Accept(id)
		a.ids = append(a.ids, id)
		a.buffer = a.decoder.Append(a.buffer[:0], id)
		if err := t.print(a); err != nil || a.stopped {
			return err
		}
		if err := t.step(t.ctx, id); errors.Is(err, engine.ErrContext) {
			a.note = fmt.Sprintf("(the conversation ends here: %v)", err)
			return nil
		} else if err != nil {
			return err
		}
	}
	a.note = fmt.Sprintf("(the answer has the %d tokens that -n lets it have)", t.options.tokens)
	return nil
}

// print adds the buffer to the answer.
func (t *talk) print(a *answer) error {
	out, stopped := a.stopper.Take(a.buffer)
	a.stopped = stopped
	return t.show(a, out)
}

// show prints part of an answer.
func (t *talk) show(a *answer, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	a.text.Write(text)
	shown := string(text)
	if t.escape {
		shown = app.Escaped(shown)
	}
	if _, err := io.WriteString(t.out, shown); err != nil {
		return errOutput{err}
	}
	return nil
}

// finish prints what was held back, and ends the line. A character of which only a
// part was written is left out, unless the model has ended there.
func (t *talk) finish(a *answer) error {
	if !a.stopped {
		if a.buffer = a.decoder.Flush(a.buffer[:0]); len(a.buffer) > 0 && !a.ended {
			a.ids, a.buffer = nil, nil
		}
		err := t.print(a)
		if err == nil && !a.stopped {
			err = t.show(a, a.stopper.Rest())
		}
		if err != nil {
			return err
		}
	}
	if a.stopped {
		a.ids = nil // they go beyond the text
	}
	if text := a.text.String(); t.people && (text == "" || strings.HasSuffix(text, "\n")) {
		return nil
	}
	if _, err := io.WriteString(t.out, "\n"); err != nil {
		return errOutput{err}
	}
	return nil
}
