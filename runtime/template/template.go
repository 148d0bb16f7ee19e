// Package template is what chat templates call that mambac has compiled to Go:
// values with the meaning that Jinja gives them, operations, filters and tests,
// and errors. It parses no template. It sees nothing of ours.
package template

import (
	"errors"
	"fmt"
	"time"
)

// Template is one compiled chat template of a checkpoint.
type Template struct {
	Name string // "default", or what the checkpoint calls it
	// Tokens are the special tokens that the template may write, by the names of
	// their variables: bos_token, eos_token.
	Tokens map[string]string
	// Write is the compiled template.
	Write func(*Run)
}

// Input is a conversation.
type Input struct {
	Messages Value // list of mappings with role and content
	Tools    Value // list of mappings; the zero Value for none
	// AddGenerationPrompt asks for the words that begin the model's answer.
	AddGenerationPrompt bool
	// Variables are others that the template may ask for; they go before those
	// above and before the template's tokens.
	Variables map[string]Value
	// Now is the clock of strftime_now; nil for the time and zone of the system.
	Now func() time.Time
}

// Raised is what a template says with raise_exception: the conversation is not
// one that it can write. That is its author's mistake, not the program's.
type Raised struct{ Message string }

// Error implements error.
func (r *Raised) Error() string { return r.Message }

// Failure is an operation that the values at hand do not allow, such as the sum
// of a text and a number, or a part of something undefined. What conversations
// hold decides that, too.
type Failure struct{ Reason string }

// Error implements error.
func (f *Failure) Error() string { return "the chat template fails: " + f.Reason }

// ErrNoTools is the end of a conversation with tools that the template does not ask
// for: the model would not learn of them.
var ErrNoTools = errors.New("the model's chat template knows no tools; leave them out")

// Limits of one rendering. They are far above what a conversation takes, and keep
// a template that means harm from taking the machine.
const (
	limitText  = 16 << 20  // bytes of any text
	limitItems = 1 << 18   // of a list that a template makes
	limitTurns = 2_000_000 // of all loops together
	limitTotal = 512 << 20 // bytes of all texts together that a template makes
	limitDepth = 64        // of macros that call macros
	limitRange = 100_000   // as in Jinja's sandbox
)

// Render writes a conversation as the model has learned to read it. The error is
// a *Raised, a *Failure or ErrNoTools.
func (t *Template) Render(in Input) (string, error) {
	r := &Run{now: in.Now, variables: map[string]Value{
		"messages":              in.Messages,
		"tools":                 in.Tools,
		"documents":             None(),
		"add_generation_prompt": Bool(in.AddGenerationPrompt),
	}}
	if in.Tools.isUndefined() {
		r.variables["tools"] = None()
	}
	if r.now == nil {
		r.now = time.Now
	}
	for name, text := range t.Tokens {
		r.variables[name] = String(text)
	}
	for name, v := range in.Variables {
		r.variables[name] = v
	}
	t.Write(r)
	if r.err != nil {
		return "", r.err
	}
	if in.Tools.True() && !r.tooled {
		return "", ErrNoTools
	}
	return string(r.out), nil
}

// Run is one rendering. The first error ends it: what follows does nothing, and
// gives undefined values.
type Run struct {
	variables map[string]Value
	now       func() time.Time
	out       []byte
	err       error
	turns     int   // of loops, so far
	made      int64 // bytes of texts
	depth     int   // of macros that are being called
	tooled    bool  // the template has asked for tools
}

// Variable is what the conversation gives under a name.
func (r *Run) Variable(name string) Value {
	r.tooled = r.tooled || name == "tools"
	if v, ok := r.variables[name]; ok {
		return v
	}
	return undefinedName(name)
}

// Text writes text of the template.
func (r *Run) Text(s string) {
	if r.err != nil {
		return
	}
	if len(s) > limitText-len(r.out) {
		r.fail("it writes more than %d bytes", limitText)
		return
	}
	r.out = append(r.out, s...)
}

// Print writes a value.
func (r *Run) Print(v Value) { r.Text(r.text(v)) }

// Do has a value computed for what that may do: raise an exception.
func (r *Run) Do(Value) {}

// Capture returns what write writes, instead of writing it.
func (r *Run) Capture(write func()) Value {
	start := len(r.out)
	write()
	if r.err != nil {
		return Value{}
	}
	s := string(r.out[start:])
	r.out = r.out[:start]
	return String(s)
}

// Raise ends the rendering with a message of the template.
func (r *Run) Raise(message Value) Value {
	if s := r.text(message); r.err == nil {
		r.err = &Raised{s}
	}
	return Value{}
}

// fail ends the rendering, unless it has ended.
func (r *Run) fail(format string, args ...any) Value {
	if r.err == nil {
		r.err = &Failure{fmt.Sprintf(format, args...)}
	}
	return Value{}
}

// ended reports whether there has been an error.
func (r *Run) ended() bool { return r.err != nil }
