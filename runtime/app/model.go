package app

import (
	"errors"
	"fmt"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/tokenizer"
)

// artifact is the opened payload of the program.
type artifact struct {
	file      *payload.Payload
	meta      *payload.Metadata
	compiled  *engine.Compiled
	tokenizer *tokenizer.Tokenizer // nil when the checkpoint had none
}

// load opens the payload and proves that it belongs to this code.
func (s *session) load() (*artifact, error) {
	file, err := s.open()
	if err != nil {
		return nil, err
	}
	m := &artifact{file: file, meta: file.Metadata(), compiled: s.compiled}
	if err := m.check(); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", file.Path(), err)
	}
	return m, nil
}

func (m *artifact) check() error {
	if m.meta.Fingerprint != m.compiled.Fingerprint {
		return fmt.Errorf("payload has fingerprint %.12q, the code %.12q; build the program again", m.meta.Fingerprint, m.compiled.Fingerprint)
	}
	section, ok := m.file.Section(payload.TokenizerSection)
	if !ok {
		return nil
	}
	var err error
	m.tokenizer, err = tokenizer.Open(section)
	return err
}

// close gives the mapping back; nothing of the model may be used then.
func (m *artifact) close() { m.file.Close() }

// engine starts the model's engine; 0 threads means one per physical core.
func (m *artifact) engine(threads int) (*engine.Engine, error) {
	weights, ok := m.file.Section(payload.WeightsSection)
	if !ok {
		return nil, fmt.Errorf("%s: payload has no weights; build the program again", m.file.Path())
	}
	return engine.New(m.compiled, weights, engine.Options{Threads: threads})
}

var errNoTokenizer = errors.New("this model was built without a tokenizer (the checkpoint had no tokenizer.json); use --ids and --print ids")

// text is the tokenizer, for commands that need one.
func (m *artifact) text() (*tokenizer.Tokenizer, error) {
	if m.tokenizer == nil {
		return nil, errNoTokenizer
	}
	return m.tokenizer, nil
}
