package tokenizer

import (
	"errors"
	"fmt"
)

// Normalizer is a step that rewrites text. Each kind has a file, in which it
// registers how a table names it.
type Normalizer interface {
	step
	normalize(text string) (string, error)
}

// PreTokenizer is a step that splits text into words. Each kind has a file, in
// which it registers how a table names it.
type PreTokenizer interface {
	step
	// split hands the words of a text that is not empty to yield, in their
	// order; they are not empty either. first says that the text is the
	// beginning of what is encoded, and tells the same of each word.
	split(text string, first bool, yield func(word string, first bool)) error
}

// Decoding is a step that rewrites the texts of tokens. Each kind has a file,
// in which it registers how a table names it.
type Decoding interface {
	step
	// begin returns the step at work on one text, which hands what it makes of
	// it to next.
	begin(next stage) stage
}

// step is what a table says of a step: its kind and its parameters.
type step interface {
	kind() uint32
	appendParameters(dst []byte) []byte
}

// kinds holds, for each kind of step, the reader of its parameters.
type kinds[S step] map[uint32]func(parameters []byte) (S, error)

var (
	normalizerKinds   = kinds[Normalizer]{}
	preTokenizerKinds = kinds[PreTokenizer]{}
	decodingKinds     = kinds[Decoding]{}
)

func (k kinds[S]) register(kind uint32, read func([]byte) (S, error)) {
	if k[kind] != nil {
		panic(fmt.Sprintf("BUG: two kinds of steps have the number %d", kind))
	}
	k[kind] = read
}

// maxSteps bounds a list of steps.
const maxSteps = 64

// appendSteps writes kind, length of the parameters and parameters of each.
func appendSteps[S step](dst []byte, steps []S) []byte {
	for _, s := range steps {
		parameters := s.appendParameters(nil)
		dst = order.AppendUint32(dst, s.kind())
		dst = order.AppendUint32(dst, uint32(len(parameters)))
		dst = append(dst, parameters...)
	}
	return dst
}

func readSteps[S step](section []byte, known kinds[S]) ([]S, error) {
	var steps []S
	for len(section) > 0 {
		if len(section) < 8 || len(steps) == maxSteps {
			return nil, errors.New("the steps are damaged")
		}
		kind, length := order.Uint32(section), order.Uint32(section[4:])
		section = section[8:]
		if uint64(length) > uint64(len(section)) {
			return nil, fmt.Errorf("step of kind %d is cut off", kind)
		}
		read := known[kind]
		if read == nil {
			return nil, fmt.Errorf("step of unknown kind %d; build the program again", kind)
		}
		s, err := read(section[:length])
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
		section = section[length:]
	}
	return steps, nil
}

// without is the reader of a step that has no parameters.
func without[S step](s S) func([]byte) (S, error) {
	return func(parameters []byte) (S, error) {
		if len(parameters) > 0 {
			return s, fmt.Errorf("the parameters of a step of kind %d are damaged", s.kind())
		}
		return s, nil
	}
}

// fields reads parameters one after the other; what they lack is damaged.
type fields struct {
	rest    []byte
	damaged bool
}

// flags takes a byte of flags below limit.
func (f *fields) flags(limit byte) byte {
	if len(f.rest) == 0 || f.rest[0] >= limit {
		f.damaged = true
		return 0
	}
	c := f.rest[0]
	f.rest = f.rest[1:]
	return c
}

// number takes a number up to limit.
func (f *fields) number(limit uint32) uint32 {
	if len(f.rest) < 4 || order.Uint32(f.rest) > limit {
		f.damaged = true
		return 0
	}
	n := order.Uint32(f.rest)
	f.rest = f.rest[4:]
	return n
}

// text takes a text of up to MaxText bytes.
func (f *fields) text() string {
	n := f.number(MaxText)
	if f.damaged || int(n) > len(f.rest) {
		f.damaged = true
		return ""
	}
	text := string(f.rest[:n])
	f.rest = f.rest[n:]
	return text
}

// end returns an error if the parameters of the step had less or more.
func (f *fields) end(name string) error {
	if f.damaged || len(f.rest) > 0 {
		return fmt.Errorf("the parameters of a step %s are damaged", name)
	}
	return nil
}

// appendText writes a text as fields.text takes it.
func appendText(dst []byte, text string) []byte {
	return append(order.AppendUint32(dst, uint32(len(text))), text...)
}

// MaxText bounds the texts and expressions of steps, in bytes.
const MaxText = 1 << 12
