package model

import (
	"context"
	"errors"
	"iter"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/sample"
	"github.com/mambac/mambac/runtime/stop"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// Token is one step of a generation.
type Token struct {
	ID int // below Vocabulary
	// Text is the characters that the token completes, often none: a character
	// may take several tokens, and text that may yet become a stop text is held
	// back. All texts together are the text of all ids, special ones left out.
	Text string
}

// ErrContext is what errors of sessions that would exceed the bound of Context
// are.
var ErrContext = engine.ErrContext

// ErrNoLogits is returned by Generate when there is nothing to choose from.
var ErrNoLogits = errors.New("the model gives no finite logit: nothing was read yet, reading was interrupted, or the weights are damaged")

// Generate reads a prompt, behind what the session has read before, and yields
// the tokens that follow it, by default the likeliest, at most 256. At the
// beginning of a session the prompt gets the special tokens that the
// checkpoint puts around a text (see Prompt); later it is taken as it is, and
// an empty one only continues.
//
// An end token is yielded as the last one. In the loop the session stands before
// the token at hand; behind it, all tokens yielded have been read. An error
// ends the loop; that of an ended ctx comes within one step.
func (s *Session) Generate(ctx context.Context, prompt string, opts ...GenerateOption) iter.Seq2[Token, error] {
	return func(yield func(Token, error) bool) {
		g, err := s.newGeneration(ctx, opts)
		if err == nil {
			err = g.readText(prompt)
		}
		g.loop(err, yield)
	}
}

// GenerateIDs is Generate for a prompt of ids, taken as they are. Every id
// that the model has logits for may follow, also those without a token.
func (s *Session) GenerateIDs(ctx context.Context, ids []int, opts ...GenerateOption) iter.Seq2[Token, error] {
	return func(yield func(Token, error) bool) {
		g, err := s.newGeneration(ctx, opts)
		if err == nil {
			err = g.read(ids)
		}
		g.loop(err, yield)
	}
}

// generation is one loop over Generate.
type generation struct {
	*generateOptions
	ctx     context.Context
	session *Session
	sampler *sample.Sampler
	decoder *tokenizer.Decoder // nil without tokenizer
	stopper stop.Stopper
	ends    []int32
	buffer  []byte
	count   int
	begun   bool
	last    int32 // the token at hand, or none
	over    bool  // it is the last
}

func (s *Session) newGeneration(ctx context.Context, opts []GenerateOption) (*generation, error) {
	g := &generation{generateOptions: newGenerateOptions(opts), ctx: ctx, session: s, last: none}
	if g.maxTokens < -1 {
		return g, errors.New("MaxTokens: want a number of tokens, or -1 for no bound")
	}
	if err := s.enterToRead(ctx); err != nil {
		return g, err
	}
	defer s.leave()
	m := s.model
	if m.tokenizer != nil {
		g.decoder = tokenizer.NewDecoder(m.tokenizer.table, true)
	} else if len(g.stops) > 0 {
		return g, ErrNoTokenizer
	}
	if !g.ignoreEnds {
		g.ends = m.payload.Metadata().EOS
	}
	g.stopper.Texts = g.stops
	return g, nil
}

// readText reads a prompt.
func (g *generation) readText(prompt string) error {
	m := g.session.model
	if m.tokenizer == nil {
		return ErrNoTokenizer
	}
	g.sampling.Allowed = m.tokenizer.table.Known
	if g.session.Position() == 0 {
		ids, err := m.Prompt(prompt)
		if err != nil {
			return err
		}
		return g.read(ids)
	}
	ids, err := m.tokenizer.EncodePlain(prompt)
	if err != nil {
		return err
	}
	return g.read(ids)
}

// read reads ids and takes hold of the session.
func (g *generation) read(ids []int) error {
	s := g.session
	if err := s.enterToWrite(); err != nil {
		return err
	}
	defer s.leave()
	var err error
	if g.sampler, err = sample.New(g.sampling, s.model.Vocabulary()); err != nil {
		return err
	}
	if err := g.speculate(ids); err != nil {
		return err
	}
	if err := s.prefill(g.ctx, ids); err != nil {
		return err
	}
	g.follow()
	for word, set := range s.seen {
		for ; set != 0; set &= set - 1 {
			id := int32(word*64) + int32(bits.TrailingZeros64(set))
			g.sampler.Accept(id)
			if g.decoder != nil {
				g.decoder.Resume(id)
			}
		}
	}
	if s.partial && g.decoder != nil {
		g.decoder.Continue()
	}
	s.generating, g.begun = true, true
	return nil
}

// loop yields token after token, or the error that came before.
func (g *generation) loop(err error, yield func(Token, error) bool) {
	if g.begun {
		defer g.end()
	}
	for err == nil && g.count != g.maxTokens && !g.over {
		var t Token
		if t, err = g.next(); err == nil && !yield(t, nil) {
			return
		}
	}
	if err != nil {
		yield(Token{}, err)
	}
}

// next reads the token that was yielded and chooses another.
func (g *generation) next() (Token, error) {
	s := g.session
	if err := s.enter(); err != nil {
		return Token{}, err
	}
	defer s.leave()
	g.hand()
	if err := g.settle(); err != nil {
		return Token{}, err
	}
	if err := g.ctx.Err(); err != nil {
		return Token{}, err
	}
	if !s.ready {
		return Token{}, ErrNoLogits
	}
	id := g.sampler.Next(s.logits[0])
	if id < 0 {
		return Token{}, ErrNoLogits
	}
	g.sampler.Accept(id)
	g.last = id
	g.count++
	return Token{int(id), g.text(id)}, nil
}

// hand gives the session the token that was yielded, to be read.
func (g *generation) hand() {
	if g.last != none {
		g.session.pending, g.last = g.last, none
	}
}

// text is what a token adds to the text: an end token nothing of its own. The
// last one also brings what was held back.
func (g *generation) text(id int32) string {
	g.over = slices.Contains(g.ends, id)
	if g.decoder == nil {
		return ""
	}
	g.buffer = g.buffer[:0]
	if !g.over {
		g.buffer = g.decoder.Append(g.buffer, id)
	}
	last := g.over || g.count == g.maxTokens
	if last {
		g.buffer = g.decoder.Flush(g.buffer)
	}
	out, stopped := g.stopper.Take(g.buffer)
	if stopped {
		g.over = true
	} else if last {
		out = append(out, g.stopper.Rest()...)
	}
	return g.session.model.texts.of(out)
}

// end lets go of the session, which has then read the last token too, or will
// before anything else. Another call that is under way is waited for.
func (g *generation) end() {
	s := g.session
	for !s.busy.CompareAndSwap(false, true) {
		runtime.Gosched()
	}
	g.hand()
	if s.reader != nil {
		s.reader.Follow(nil)
	}
	s.generating = false
	s.busy.Store(false)
}

// generateOptions is what the options of a generation say.
type generateOptions struct {
	sampling   sample.Options
	maxTokens  int
	stops      [][]byte
	ignoreEnds bool
	ahead      *Speculation // nil for none
}

const defaultMaxTokens = 256

func newGenerateOptions(opts []GenerateOption) *generateOptions {
	o := &generateOptions{sampling: sample.Default(), maxTokens: defaultMaxTokens}
	o.sampling.Seed = rand.Uint64()
	for _, opt := range opts {
		if opt != nil {
			opt(o)
		}
	}
	return o
}
