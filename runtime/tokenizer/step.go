package tokenizer

import (
	"errors"
	"fmt"
)

// Normalizer is a step that rewrites text. Each kind has a file, in which it
// registers how a table names it.
type Normalizer interface {
	step
	normalize(text string) string
}

// PreTokenizer is a step that splits text into words. Each kind has a file, in
// which it registers how a table names it.
type PreTokenizer interface {
	step
	// prepare rewrites a text before it is cut.
	prepare(text string) string
	// cut returns how many bytes, at least 1, the first word of text has.
	cut(text string) int
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
