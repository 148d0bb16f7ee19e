package model

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/tokenizer"
)

const vocab = 300 // the tokenizer knows 257

// packed is a payload's bytes and the package that wants them.
func packed(t testing.TB, change func(*enginetest.Carrier)) (*Package, []byte) {
	t.Helper()
	c := enginetest.NewCarrier(vocab)
	if change != nil {
		change(c)
	}
	var b bytes.Buffer
	if err := c.Write(&b, 0); err != nil {
		t.Fatal(err)
	}
	p, err := payload.FromBytes("fake", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	digest := p.Digest()
	return &Package{
		Name: "fake", Compiled: enginetest.Compiled(vocab), Digest: hex.EncodeToString(digest[:]), Command: "mambac generate fake",
	}, b.Bytes()
}

func openModel(t testing.TB, change func(*enginetest.Carrier), opts ...Option) *Model {
	t.Helper()
	p, data := packed(t, change)
	p.Embedded = data
	m, err := Open(p, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func requireError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q without %q", err, part)
		}
	}
}

func TestModelTells(t *testing.T) {
	m := openModel(t, nil, Threads(3), Level("generic"))
	if m.Vocabulary() != vocab || m.Level() != "generic" || m.Threads() != 3 || m.StateBytes() != 32 || m.EndTokens()[0] != enginetest.End {
		t.Errorf("vocabulary %d, level %s, threads %d, state %d, ends %v", m.Vocabulary(), m.Level(), m.Threads(), m.StateBytes(), m.EndTokens())
	}
}

// TestSources opens the payload from wherever it may be.
func TestSources(t *testing.T) {
	p, data := packed(t, nil)
	folder := t.TempDir()
	file := filepath.Join(folder, "any name.payload")
	for path, text := range map[string][]byte{file: data, filepath.Join(folder, "other.payload"): []byte("junk")} {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	opened, err := payload.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	embedding := *p
	embedding.Embedded = data
	for name, open := range map[string]func() (*Model, error){
		"embedded":  func() (*Model, error) { return Open(&embedding) },
		"file":      func() (*Model, error) { return Open(p, PayloadFile(file)) },
		"folder":    func() (*Model, error) { return Open(p, PayloadFile(folder)) },
		"reader":    func() (*Model, error) { return Open(p, PayloadReader(bytes.NewReader(data), int64(len(data)))) },
		"fs":        func() (*Model, error) { return Open(p, PayloadFS(os.DirFS(folder), "any name.payload")) },
		"opened":    func() (*Model, error) { return Open(p, OpenedPayload(opened)) },
		"last wins": func() (*Model, error) { return Open(p, PayloadFile("absent"), PayloadFile(file)) },
	} {
		m, err := open()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := m.Tokenizer().Decode([]int{'o', 'k'}); got != "ok" || err != nil {
			t.Errorf("%s: decoded %q, error %v", name, got, err)
		}
		if err := m.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFind looks in the environment's places and in the user's cache.
func TestFind(t *testing.T) {
	p, data := packed(t, nil)
	cache, elsewhere := t.TempDir(), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	t.Setenv("LocalAppData", cache)
	t.Setenv(PayloadsEnv, "")
	_, err := Open(p)
	requireError(t, err, "payload not found", p.Digest[:16], "mambac generate fake", "$"+PayloadsEnv)
	if !errors.Is(err, ErrNoPayload) {
		t.Errorf("%v is not ErrNoPayload", err)
	}
	file := filepath.Join(elsewhere, "x.payload")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	// What cannot be read is told, and does not end the search.
	cut := filepath.Join(elsewhere, "cut.payload")
	if err := os.WriteFile(cut, data[:len(data)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv(PayloadsEnv, cut)
	_, err = Open(p)
	requireError(t, err, "payload not found", cut, "cut off")
	for _, places := range []string{elsewhere, file, cut + string(filepath.ListSeparator) + file, "absent" + string(filepath.ListSeparator) + elsewhere} {
		t.Setenv(PayloadsEnv, places)
		m, err := Open(p)
		if err != nil {
			t.Fatalf("%s=%s: %v", PayloadsEnv, places, err)
		}
		m.Close()
	}
	t.Setenv(PayloadsEnv, "")
	folder, err := CacheFolder()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file, filepath.Join(folder, p.Digest+payload.Ext)); err != nil {
		t.Fatal(err)
	}
	m, err := Open(p)
	if err != nil {
		t.Fatalf("in the cache: %v", err)
	}
	m.Close()
}

func TestOpenRefuses(t *testing.T) {
	p, data := packed(t, nil)
	_, other := packed(t, func(c *enginetest.Carrier) { c.Meta.Name = "another" })
	file := filepath.Join(t.TempDir(), "other.payload")
	if err := os.WriteFile(file, other, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Open(p, PayloadFile(file))
	requireError(t, err, file, "payload has hash", p.Digest[:16], "make it again with mambac generate fake")
	_, err = Open(p, PayloadFile(file+"x"))
	requireError(t, err, "payload not found", file+"x")
	_, err = Open(p, PayloadReader(bytes.NewReader(data), int64(len(data))+1))
	requireError(t, err, "package fake", "want")
	_, err = Open(p, PayloadReader(bytes.NewReader(data), -1))
	requireError(t, err, "package fake", "-1")
	_, err = Open(p, PayloadReader(bytes.NewReader(data), 1<<60))
	requireError(t, err, "package fake", "have")
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error of several lines: %q", err)
	}
	_, err = Open(p, PayloadFS(fstest.MapFS{}, "absent"))
	requireError(t, err, "absent")
	for name, c := range map[string]struct {
		change func(*enginetest.Carrier)
		parts  []string
	}{
		"fingerprint": {func(c *enginetest.Carrier) { c.Meta.Fingerprint = "other" }, []string{"fingerprint", `"other"`}},
		"tokenizer":   {func(c *enginetest.Carrier) { c.Tokenizer = []byte("junk") }, []string{"tokenizer"}},
		"states": {func(c *enginetest.Carrier) {
			c.Meta.States = []payload.StateSlot{{Name: "far", Rows: 9, Columns: 1, Lanes: 16}}
		}, []string{`state "far"`, "block of 8"}},
		"lanes": {func(c *enginetest.Carrier) {
			c.Meta.States = []payload.StateSlot{{Name: "flat", Rows: 1, Columns: 1}}
		}, []string{`state "flat"`}},
	} {
		p, data := packed(t, c.change)
		p.Embedded = data
		_, err := Open(p)
		t.Log(name, err)
		requireError(t, err, c.parts...)
	}
	p.Embedded = data
	_, err = Open(p, Level("fast"))
	requireError(t, err, "warp drive")
	_, err = Open(p, Threads(-1))
	requireError(t, err, "-1 threads")
}

// TestClosedModel: every call after Close is an error and none a crash.
func TestClosedModel(t *testing.T) {
	m := openModel(t, nil)
	s := m.NewSession()
	d, err := m.Tokenizer().NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	_, encoded := m.Tokenizer().Encode("a")
	_, decoded := m.Tokenizer().Decode([]int{1})
	_, next := d.Next(1)
	_, prompt := m.Prompt("a")
	for name, err := range map[string]error{
		"close": m.Close(), "encode": encoded, "decode": decoded, "next": next, "prompt": prompt,
		"prefill": s.Prefill(t.Context(), []int{1}), "step": s.Step(t.Context(), 1), "save": s.Save(new(bytes.Buffer)),
		"restore": s.Restore(new(bytes.Buffer)), "generate": collectError(s.Generate(t.Context(), "a")),
		"ids": collectError(s.GenerateIDs(t.Context(), []int{1})),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: error %v, want ErrClosed", name, err)
		}
	}
	if s.Logits() != nil || s.Position() != 0 || !errors.Is(s.Fork().Step(t.Context(), 1), ErrClosed) {
		t.Error("a session of a closed model still answers")
	}
}

func TestWithoutTokenizer(t *testing.T) {
	m := openModel(t, func(c *enginetest.Carrier) { c.Tokenizer = nil })
	s := m.NewSession()
	_, encoded := m.Tokenizer().Encode("a")
	_, plain := m.Tokenizer().EncodePlain("a")
	_, decoded := m.Tokenizer().Decode(nil)
	_, decoder := m.Tokenizer().NewDecoder()
	_, prompt := m.Prompt("a")
	for name, err := range map[string]error{
		"encode": encoded, "plain": plain, "decode": decoded, "decoder": decoder, "prompt": prompt,
		"generate": collectError(s.Generate(t.Context(), "a")),
		"stop":     collectError(s.GenerateIDs(t.Context(), []int{1}, Stop("x"))),
	} {
		if !errors.Is(err, ErrNoTokenizer) {
			t.Errorf("%s: error %v, want ErrNoTokenizer", name, err)
		}
	}
	requireIDs(t, collect(t, s.GenerateIDs(t.Context(), []int{1}, MaxTokens(3))), 2, 3, 4)
}

// TestTextGoesOn: what is generated behind a text keeps the space that a text
// loses where it begins.
func TestTextGoesOn(t *testing.T) {
	m := openModel(t, func(c *enginetest.Carrier) {
		table := tokenizer.Table{Model: tokenizer.Model{Unknown: tokenizer.None}}
		for b := range table.Alphabet {
			table.Tokens = append(table.Tokens, tokenizer.Token{Known: true, Special: b == 'a', Bytes: []byte("_x")})
		}
		table.Decoders = []tokenizer.Decoding{tokenizer.MetaspaceMarks{Replacement: '_', Prepended: true}}
		section, err := table.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Tokenizer = section
	})
	for id, want := range map[int]string{'a': "x x", 'b': " x x"} {
		text := ""
		for token, err := range m.NewSession().GenerateIDs(t.Context(), []int{id}, MaxTokens(2)) {
			if err != nil {
				t.Fatal(err)
			}
			text += token.Text
		}
		if text != want {
			t.Errorf("behind %d: %q, want %q", id, text, want)
		}
	}
}

func TestTokenizer(t *testing.T) {
	tok := openModel(t, nil).Tokenizer()
	ids, err := tok.Encode("aé<mark>")
	if err != nil || len(ids) != 4 || ids[3] != enginetest.Mark {
		t.Fatalf("ids %v, error %v", ids, err)
	}
	text, err := tok.Decode(append(ids, vocab-1, -1, 1<<40))
	if err != nil || text != "aé" {
		t.Errorf("text %q, error %v", text, err)
	}
	d, err := tok.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	var pieces []string
	for _, id := range ids[:2] {
		piece, err := d.Next(id)
		if err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, piece)
	}
	// An id that no int32 holds is none, not the one that its low bits are.
	if piece, err := d.Next(1<<32 + ids[0]); piece != "" || err != nil {
		t.Errorf("a wide id is %q, error %v", piece, err)
	}
	if pieces[0] != "a" || pieces[1] != "" || d.End() != "�" || d.End() != "" {
		t.Errorf("pieces %q", pieces)
	}
}
