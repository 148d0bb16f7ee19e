package serve

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/prefix"
	"github.com/mambac/mambac/runtime/schedule"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// job is the texts of one request: a number of each prompt.
type job struct {
	*plan
	*params
	prompts []prompt
	echo    bool // prompts are part of the texts
	form    form

	server  *Server
	begun   time.Time
	out     *events
	tickets []*schedule.Ticket
	answers []*answer

	owner   string         // of the texts
	from    string         // name of the state that they go on from, "" for none
	base    *held          // that state
	putBack func()         // base, when nobody goes on from it any more
	reused  []*prefix.Text // prompts that may have been read in part
}

// prompt is what a text begins with.
type prompt struct {
	ids     []int32
	text    string
	encoded bool  // ids were made of the text
	likely  []int // how many ids others may begin with
}

// form is how an endpoint writes its answers.
type form interface {
	// first is what a stream says when a text begins, piece what it says then.
	first(index int) any
	piece(e *event) any
	// whole is a text that is there.
	whole(e *event) any
	// object names what the choices are part of, in a stream or not; ids begin with
	// prefix.
	object(stream bool) (prefix, name string)
}

// encode makes a prompt of a text.
func (s *Server) encode(text string, special bool) (prompt, error) {
	if s.Tokenizer == nil {
		return prompt{}, failf(http.StatusBadRequest, "", "the model was built without a tokenizer; give prompts as token ids, to /v1/completions")
	}
	ids, err := s.Tokenizer.AppendEncode(nil, text, special)
	if err != nil {
		return prompt{}, failf(http.StatusBadRequest, "", "the prompt: %v", err)
	}
	if id, ok := s.Meta.First(); ok && len(ids) == 0 {
		ids = append(ids, id)
	}
	return prompt{ids: ids, text: text, encoded: true}, nil
}

// checkPrompts tells of prompts that are too long, empty or no ids, and bounds
// what follows by the room that is left.
func (j *job) checkPrompts() error {
	s := j.server
	if n := len(j.prompts) * j.n; n > s.Limits.Choices {
		return wrong("n", "%d prompts of %d texts each are %d, want at most %d", len(j.prompts), j.n, n, s.Limits.Choices)
	}
	for _, p := range j.prompts {
		before, n := j.position(), len(p.ids)
		err := s.Engine.CheckIDs(p.ids)
		if err == nil {
			err = s.Engine.CheckPosition(before + n)
		}
		var room *engine.ContextError
		switch {
		case n == 0 && j.base == nil:
			return wrong("prompt", "is empty, and the model has no token to begin with")
		case n > s.Limits.Prompt:
			return failf(http.StatusBadRequest, "context_length_exceeded", "the prompt has %d tokens, want at most %d", n, s.Limits.Prompt)
		case errors.As(err, &room):
			return failf(http.StatusBadRequest, "context_length_exceeded", "the prompt has %d tokens, want at most %d", n, room.Context-before)
		case err != nil:
			return wrong("prompt", "%v", err)
		}
		if s.Limits.Context > 0 {
			room := s.Limits.Context - before - n
			if j.SaveState == "" { // the last token is not read
				room++
			}
			j.tokens = min(j.tokens, room)
		}
	}
	return nil
}

// Bounds of what an answer may hold besides what is written: bytes of prompts that
// it repeats, and tokens that it scores or names as likely.
const (
	maxEchoed = 16 << 20
	maxScored = 1 << 20
)

// checkSize tells of answers that take much memory whatever is written.
func (j *job) checkSize() error {
	texts, bytes, read := len(j.prompts)*j.n, 0, 0
	if j.echo {
		read = j.n * j.read()
		for _, p := range j.prompts {
			bytes += j.n * len(p.text)
		}
	}
	if bytes > maxEchoed {
		return wrong("echo", "what %d texts repeat of their prompts has %d bytes, want at most %d", texts, bytes, maxEchoed)
	}
	if j.logprobs < 0 {
		return nil
	}
	// Of a text there may be any number of tokens: nothing is multiplied by it.
	if most := maxScored / (1 + j.logprobs); read > most || j.tokens > (most-read)/texts {
		return wrong("logprobs", "have %d for each of %d tokens that are repeated and %d texts of up to %d, want at most %d tokens together", j.logprobs, read, texts, j.tokens, most)
	}
	return nil
}

// request is what the scheduler has to do for a prompt.
func (j *job) request(i int) *schedule.Request {
	p := &j.prompts[i]
	r := &schedule.Request{IDs: p.ids, Keep: j.SaveState != "" && i == 0}
	var said []scored
	if j.echo && j.logprobs >= 0 && len(p.ids) > 0 {
		said = []scored{{word: j.server.word(p.ids[0], math.NaN())}}
		begin := 0
		decoder := j.decoder()
		r.OnLogits = func(k int, logits []float32) {
			begin += decoder(p.ids[k])
			if k+1 < len(p.ids) {
				said = append(said, j.server.score(logits, p.ids[k+1], j.logprobs, begin))
			}
			if k+1 == len(p.ids) {
				j.say(i, said)
			}
		}
	} else if j.echo {
		j.say(i, nil)
	}
	for n := range j.n {
		if j.tokens == 0 {
			break
		}
		a := &answer{plan: j.plan, server: j.server, out: j.out, index: i*j.n + n, seed: uint64(n), base: j.base, prompt: p.ids, begun: j.begun}
		j.answers = append(j.answers, a)
		r.Texts = append(r.Texts, a.next)
	}
	j.reuse(i, r)
	j.continueState(r)
	return r
}

// decoder tells by how many bytes each id of a prompt makes its text longer.
func (j *job) decoder() func(id int32) int {
	if j.server.Tokenizer == nil {
		return func(int32) int { return 0 }
	}
	d, text := tokenizer.NewDecoder(j.server.Tokenizer, true), []byte(nil)
	return func(id int32) int {
		text = d.Append(text[:0], id)
		return len(text)
	}
}

// say has the texts of a prompt begin with it.
func (j *job) say(i int, tokens []scored) {
	for n := range j.n {
		j.out.put(event{index: i*j.n + n, text: j.prompts[i].text, tokens: tokens}, 0)
	}
}

// errLeft is why texts end whose request has ended.
var errLeft = errors.New("the request has ended")

// run has the texts written and the answer sent.
func (j *job) run(c *call) error {
	s := j.server
	defer j.detach()
	if err := j.attach(c); err != nil {
		return err
	}
	if err := j.checkPrompts(); err != nil {
		return err
	}
	if err := j.checkSize(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(c.Context())
	defer cancel(errLeft)
	j.begun, j.out = time.Now(), newEvents()
	for i := range j.prompts {
		t, err := s.scheduler.Submit(ctx, j.request(i))
		if err != nil {
			return err
		}
		j.tickets = append(j.tickets, t)
	}
	defer func() { s.metrics.texts(j.read(), j.out.written()) }()
	if j.Stream {
		return j.stream(c)
	}
	return j.send(c)
}

// read counts the tokens of the prompts.
func (j *job) read() int {
	n := 0
	for _, p := range j.prompts {
		n += len(p.ids)
	}
	return n
}

// err is what has gone wrong once all has ended.
func (j *job) err() error {
	for _, a := range j.answers {
		if a.err != nil {
			return a.err
		}
	}
	for _, t := range j.tickets {
		for _, r := range t.Results() {
			if r.Err != nil {
				return r.Err
			}
		}
	}
	return nil
}

// finish gives texts of no tokens their end.
func (j *job) finish() {
	if j.tokens > 0 {
		return
	}
	for i := range len(j.prompts) * j.n {
		j.out.put(event{index: i, finish: finishLength}, 0)
	}
}

// send answers when all texts are there.
func (j *job) send(c *call) error {
	for _, t := range j.tickets {
		<-t.Done()
	}
	if err := j.conclude(); err != nil {
		return err
	}
	j.finish()
	texts := make([]event, len(j.prompts)*j.n)
	for _, e := range j.out.take() {
		t := &texts[e.index]
		t.text += e.text
		t.tokens = append(t.tokens, e.tokens...)
		t.index, t.finish = e.index, e.finish
	}
	list := []any{}
	for i := range texts {
		list = append(list, j.form.whole(&texts[i]))
	}
	e := j.envelope()
	e.Choices, e.Usage = list, j.usage()
	j.server.writeJSON(c, http.StatusOK, e)
	return nil
}

// envelope is what all answers have in common.
type envelope struct {
	ID          string `json:"id"`
	Object      string `json:"object"`
	Created     int64  `json:"created"`
	Model       string `json:"model"`
	Fingerprint string `json:"system_fingerprint"`
	Choices     []any  `json:"choices"`
	Usage       any    `json:"usage,omitempty"`
}

func (j *job) envelope() *envelope {
	prefix, name := j.form.object(j.Stream)
	return &envelope{
		ID: prefix + rand.Text(), Object: name, Created: j.begun.Unix(), Model: j.server.Name,
		Fingerprint: j.server.Meta.Fingerprint,
	}
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`

	Details promptDetails `json:"prompt_tokens_details"`
}

type promptDetails struct {
	Cached int `json:"cached_tokens"` // that need not be read
}

func (j *job) usage() *usage {
	u := &usage{Prompt: j.read(), Completion: j.out.written(), Details: promptDetails{j.cached()}}
	u.Total = u.Prompt + u.Completion
	return u
}
