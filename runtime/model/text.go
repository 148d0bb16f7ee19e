package model

import "sync"

// texts keeps the texts of tokens, so that one is allocated once however often
// it is generated.
type texts struct {
	mu   sync.Mutex
	kept map[string]string
}

// maxTexts bounds what is kept: more than vocabularies have.
const maxTexts = 1 << 18

// of is the bytes as a string.
func (t *texts) of(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, ok := t.kept[string(b)]; ok {
		return s
	}
	s := string(b)
	if t.kept == nil {
		t.kept = map[string]string{}
	}
	if len(t.kept) < maxTexts {
		t.kept[s] = s
	}
	return s
}
