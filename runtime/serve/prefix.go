package serve

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/prefix"
	"github.com/mambac/mambac/runtime/schedule"
	"github.com/mambac/mambac/runtime/snapshot"
)

// Prefixes are the options of a cache of what an engine has read. What makes a
// state differ in its last bits makes it another one.
func Prefixes(e *engine.Engine, meta *payload.Metadata, memory int64) prefix.Options {
	return prefix.Options{
		Memory: memory, Chunk: e.Shape().Chunk,
		Model: fmt.Sprintf("%q", []string{meta.Mambac, meta.Identity, meta.Weights, meta.Math, meta.Cache, meta.Fingerprint, e.Level()}),
	}
}

// Spilled writes states of a prefix cache as state files, with the key in the place
// of a text's digest.
type Spilled struct{ *snapshot.Codec }

// Write implements prefix.Codec.
func (c Spilled) Write(w io.Writer, state *engine.State, key prefix.Key) error {
	return c.Codec.Write(w, &snapshot.Snapshot{State: state, Text: key})
}

// Read implements prefix.Codec.
func (c Spilled) Read(r io.Reader) (*engine.State, prefix.Key, error) {
	n, err := c.Codec.Read(r)
	if err != nil {
		return nil, prefix.Key{}, err
	}
	return n.State, n.Text, nil
}

// owner tells keys apart, so that nobody learns from an answer that comes early
// what others have asked.
func (s *Server) owner(r *http.Request) string {
	if len(s.keys) == 0 {
		return ""
	}
	sum := sha256.Sum256([]byte(r.Header.Get("Authorization")))
	return hex.EncodeToString(sum[:])
}

// reuse has a prompt read from where another one has been, and keeps states of it
// for others. One whose tokens are scored is read as a whole.
func (j *job) reuse(i int, r *schedule.Request) {
	cache := j.server.Prefix
	if cache == nil || r.OnLogits != nil {
		return
	}
	p := &j.prompts[i]
	t := cache.Text(j.start(), p.ids, p.likely...)
	t.Load()
	j.reused = append(j.reused, t)
	r.Resume, r.Pause, r.OnBorder = t.Resume, t.Pause, t.Border
	if len(r.Texts) > 0 {
		a := j.answers[i*j.n]
		r.OnWritten = func(text int, state *engine.State) {
			if text == 0 {
				t.Written(a.ids, state)
			}
		}
	}
}

// cached counts the tokens of prompts that had been read before.
func (j *job) cached() int {
	n := 0
	for _, t := range j.reused {
		n += t.Saved()
	}
	return n
}

// opening is how many ids of a conversation, which the template has made text of,
// are of the instructions that it begins with: where others will part from it. 0 if
// there are none.
func (s *Server) opening(messages, tools json.RawMessage, text string, ids []int32) []int {
	if s.Prefix == nil {
		return nil
	}
	other := otherwise(messages)
	if other == nil {
		return nil
	}
	rendered, err := s.Template(other, tools)
	if err != nil {
		return nil
	}
	same := common([]byte(text), []byte(rendered))
	begin, err := s.Tokenizer.AppendEncode(nil, text[:same], false)
	if err != nil {
		return nil
	}
	return []int{common(begin, ids)}
}

// otherwise is another conversation with the instructions that one begins with; nil
// if there are none.
func otherwise(messages json.RawMessage) json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(messages, &list) != nil {
		return nil
	}
	n := slices.IndexFunc(list, func(m json.RawMessage) bool {
		var message struct{ Role string }
		return json.Unmarshal(m, &message) != nil || message.Role != "system" && message.Role != "developer"
	})
	switch n {
	case 0:
		return nil
	case -1:
		n = len(list)
	}
	other, err := json.Marshal(append(list[:n:n], json.RawMessage(`{"role":"user","content":"\u241e"}`)))
	if err != nil {
		return nil
	}
	return other
}

// common is how many elements two lists begin with alike.
func common[E comparable](a, b []E) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// writePrefix tells of the cache.
func (s *Server) writePrefix(b *bytes.Buffer) {
	if s.Prefix == nil {
		return
	}
	n := s.Prefix.Stats()
	single(b, "mambac_states_held", "gauge", "States that are kept in memory for texts that begin likewise.", n.States)
	single(b, "mambac_states_held_bytes", "gauge", "Memory that they take.", n.Bytes)
	single(b, "mambac_prefix_hits_total", "counter", "Prompts that were read on from a state.", n.Hits)
	single(b, "mambac_prefix_misses_total", "counter", "Prompts of some length that were read from their beginning.", n.Misses)
	single(b, "mambac_prefix_tokens_total", "counter", "Tokens of prompts that were not read again.", n.Saved)
	single(b, "mambac_prefix_evictions_total", "counter", "States that have made room for others.", n.Evictions)
	single(b, "mambac_prefix_files", "gauge", "States of them that lie in files.", n.SpilledStates)
	single(b, "mambac_prefix_file_bytes", "gauge", "What these take.", n.SpilledBytes)
	single(b, "mambac_prefix_damaged_total", "counter", "Files that were not what they should be.", n.Damaged)
	single(b, "mambac_prefix_unwritten_total", "counter", "States that no file could be written of.", n.Unwritten)
}
