package model

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"testing"

	"github.com/mambac/mambac/runtime/enginetest"
)

// collect gathers the tokens of a generation that must not fail.
func collect(t testing.TB, tokens iter.Seq2[Token, error]) []Token {
	t.Helper()
	var list []Token
	for token, err := range tokens {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, token)
	}
	return list
}

// collectError is the error that ends a generation.
func collectError(tokens iter.Seq2[Token, error]) error {
	for _, err := range tokens {
		if err != nil {
			return err
		}
	}
	return nil
}

func requireIDs(t testing.TB, tokens []Token, want ...int) {
	t.Helper()
	var got []int
	for _, token := range tokens {
		got = append(got, token.ID)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("ids %v, want %v", got, want)
	}
}

func textOf(tokens []Token) string {
	var b bytes.Buffer
	for _, token := range tokens {
		b.WriteString(token.Text)
	}
	return b.String()
}

func read(t testing.TB, s *Session, ids ...int) *Session {
	t.Helper()
	if err := s.Prefill(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	return s
}

func requireSame(t testing.TB, what string, a, b *Session) {
	t.Helper()
	if a.Position() != b.Position() {
		t.Errorf("%s: position %d and %d", what, a.Position(), b.Position())
	}
	if x, y := a.Logits(), b.Logits(); !slices.Equal(x, y) || (x == nil) != (y == nil) {
		t.Errorf("%s: other logits", what)
	}
	if a.text != b.text || !slices.Equal(a.seen, b.seen) {
		t.Errorf("%s: another text", what)
	}
}

// TestWaysOfReading: by prefill, by step and in pieces a text is the same.
func TestWaysOfReading(t *testing.T) {
	m := openModel(t, nil, Threads(2))
	ids := make([]int, 40)
	for i := range ids {
		ids[i] = (i*i + 5) % vocab
	}
	whole, pieces, steps := read(t, m.NewSession(), ids...), m.NewSession(), m.NewSession()
	for n := 1; n < 40; n *= 3 {
		read(t, pieces, ids[pieces.Position():n]...)
	}
	read(t, pieces, ids[pieces.Position():]...)
	for _, id := range ids {
		if err := steps.Step(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	requireSame(t, "pieces", pieces, whole)
	requireSame(t, "steps", steps, whole)
	if len(whole.Logits()) != vocab {
		t.Errorf("%d logits, want %d", len(whole.Logits()), vocab)
	}
}

func TestNewSessionIsEmpty(t *testing.T) {
	s := openModel(t, nil).NewSession()
	if s.Position() != 0 || s.Logits() != nil {
		t.Errorf("position %d, logits %v", s.Position(), s.Logits())
	}
	if err := s.Prefill(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if err := collectError(s.GenerateIDs(t.Context(), nil)); !errors.Is(err, ErrNoLogits) {
		t.Errorf("error %v, want ErrNoLogits", err)
	}
}

func TestWrongIDs(t *testing.T) {
	s := read(t, openModel(t, nil).NewSession(), 1, 2)
	for _, id := range []int{-1, vocab, 1 << 40} {
		name := strconv.Itoa(id)
		requireError(t, s.Step(t.Context(), id), name, "outside the vocabulary")
		requireError(t, s.Prefill(t.Context(), []int{1, id}), name, "outside the vocabulary")
	}
	if s.Position() != 2 || s.Logits() == nil {
		t.Errorf("position %d after wrong ids", s.Position())
	}
}

// TestNilContext: misuse is an error, and the session goes on.
func TestNilContext(t *testing.T) {
	s := read(t, openModel(t, nil).NewSession(), 1, 2)
	var none context.Context
	for name, err := range map[string]error{
		"step": s.Step(none, 1), "prefill": s.Prefill(none, []int{1}),
		"generate": collectError(s.Generate(none, "a")), "ids": collectError(s.GenerateIDs(none, []int{1})),
	} {
		if !errors.Is(err, errNoContext) {
			t.Errorf("%s: error %v, want %v", name, err, errNoContext)
		}
	}
	if s.Position() != 2 {
		t.Errorf("position %d after misuse", s.Position())
	}
	read(t, s, 3)
}

func TestCancelled(t *testing.T) {
	m := openModel(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := read(t, m.NewSession(), 1)
	for name, err := range map[string]error{
		"step": s.Step(ctx, 1), "prefill": s.Prefill(ctx, []int{1}),
		"generate": collectError(s.Generate(ctx, "a")), "ids": collectError(s.GenerateIDs(ctx, nil)),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	requireSame(t, "cancelled", s, read(t, m.NewSession(), 1))
}

func TestFork(t *testing.T) {
	m := openModel(t, nil)
	s := read(t, m.NewSession(), 1, 2, 3)
	f := s.Fork()
	requireSame(t, "fork", f, s)
	read(t, s, 7)
	requireSame(t, "fork later", f, read(t, m.NewSession(), 1, 2, 3))
	read(t, f, 7)
	requireSame(t, "fork after the same", f, s)
}

func TestClosedSession(t *testing.T) {
	s := read(t, openModel(t, nil).NewSession(), 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"close": s.Close(), "step": s.Step(t.Context(), 1), "prefill": s.Prefill(t.Context(), []int{1}),
		"save": s.Save(new(bytes.Buffer)), "fork": s.Fork().Step(t.Context(), 1),
		"generate": collectError(s.Generate(t.Context(), "a")),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: error %v, want ErrClosed", name, err)
		}
	}
	if s.Logits() != nil || s.Position() != 0 {
		t.Error("a closed session still answers")
	}
}

// TestBusy: in a loop over Generate the session can be looked at, not moved.
func TestBusy(t *testing.T) {
	m := openModel(t, nil)
	s := read(t, m.NewSession(), 'a')
	for token, err := range s.GenerateIDs(t.Context(), nil, MaxTokens(3)) {
		if err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"step": s.Step(t.Context(), 1), "prefill": s.Prefill(t.Context(), []int{1}),
			"restore": s.Restore(new(bytes.Buffer)), "generate": collectError(s.Generate(t.Context(), "")),
		} {
			if !errors.Is(err, ErrBusy) {
				t.Errorf("%s: error %v, want ErrBusy", name, err)
			}
		}
		before := m.NewSession()
		for id := 'a'; int(id) < token.ID; id++ {
			read(t, before, int(id))
		}
		requireSame(t, "in the loop", s, before)
		requireSame(t, "fork in the loop", s.Fork(), before)
	}
	requireSame(t, "behind the loop", s, read(t, m.NewSession(), 'a', 'b', 'c', 'd'))
}

// TestStepAllocs: reading an id allocates nothing, nor does generating one
// whose text was seen before.
func TestStepAllocs(t *testing.T) {
	m := openModel(t, nil)
	s := m.NewSession()
	ctx := context.Background()
	if n := testing.AllocsPerRun(100, func() {
		if err := s.Step(ctx, 1); err != nil || s.Logits() == nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per step", n)
	}
	next, stop := iter.Pull2(s.Generate(ctx, "a", MaxTokens(-1), IgnoreEndTokens(), Stop("no such text")))
	defer stop()
	one := func() {
		if _, err, ok := next(); err != nil || !ok {
			t.Fatal(err)
		}
	}
	for range 2 * vocab {
		one()
	}
	if n := testing.AllocsPerRun(100, one); n != 0 {
		t.Errorf("%v allocations per generated token", n)
	}
}

func TestGenerate(t *testing.T) {
	m := openModel(t, nil)
	for name, c := range map[string]struct {
		prompt string
		opts   []GenerateOption
		text   string
		last   int
	}{
		"end token":   {"l", nil, "mno", 'p'},
		"ignored":     {"n", []GenerateOption{IgnoreEndTokens(), MaxTokens(4)}, "opqr", 'r'},
		"bounded":     {"a", []GenerateOption{MaxTokens(2)}, "bc", 'c'},
		"stopped":     {"a", []GenerateOption{Stop("zz", "de")}, "bc", 'e'},
		"held back":   {"a", []GenerateOption{Stop("de"), MaxTokens(3)}, "bcd", 'd'},
		"end in held": {"l", []GenerateOption{Stop("ox")}, "mno", 'p'},
		"empty stop":  {"a", []GenerateOption{Stop(""), MaxTokens(1)}, "b", 'b'},
	} {
		got := collect(t, m.NewSession().Generate(t.Context(), c.prompt, c.opts...))
		if textOf(got) != c.text || got[len(got)-1].ID != c.last {
			t.Errorf("%s: %q ending in %d, want %q and %d", name, textOf(got), got[len(got)-1].ID, c.text, c.last)
		}
	}
	if got := collect(t, m.NewSession().Generate(t.Context(), "a", MaxTokens(0))); got != nil {
		t.Errorf("no tokens wanted, got %v", got)
	}
}

// TestGenerateContinues: a session goes on where it stands, and the loop may
// be left at any time.
func TestGenerateContinues(t *testing.T) {
	m := openModel(t, nil)
	s := m.NewSession()
	for token, err := range s.Generate(t.Context(), "a", MaxTokens(10)) {
		if err != nil {
			t.Fatal(err)
		}
		if token.ID == 'c' {
			break
		}
	}
	requireSame(t, "left", s.Fork(), read(t, m.NewSession(), 'a', 'b', 'c'))
	requireIDs(t, collect(t, s.Generate(t.Context(), "", MaxTokens(1))), 'd')
	requireIDs(t, collect(t, s.Generate(t.Context(), "h", MaxTokens(1))), 'i')
	if err := s.Step(t.Context(), 'x'); err != nil {
		t.Fatal(err)
	}
	requireSame(t, "in all", s, read(t, m.NewSession(), 'a', 'b', 'c', 'd', 'h', 'i', 'x'))
}

func TestPrompt(t *testing.T) {
	begin := int32('A')
	for name, c := range map[string]struct {
		change func(*enginetest.Carrier)
		want   int
	}{
		"end token":   {nil, enginetest.End + 1},
		"begin token": {func(c *enginetest.Carrier) { c.Meta.BOS = &begin }, 'B'},
	} {
		got := collect(t, openModel(t, c.change).NewSession().Generate(t.Context(), "", MaxTokens(1)))
		if got[0].ID != c.want {
			t.Errorf("%s: %v, want %d", name, got, c.want)
		}
	}
	m := openModel(t, func(c *enginetest.Carrier) { c.Meta.EOS = nil })
	requireError(t, collectError(m.NewSession().Generate(t.Context(), "")), "prompt is empty")
}

// TestUnfinishedCharacter: the last token shows that something is missing.
func TestUnfinishedCharacter(t *testing.T) {
	m := openModel(t, nil)
	got := collect(t, m.NewSession().GenerateIDs(t.Context(), []int{0xc1}, MaxTokens(1)))
	if got[0].ID != 0xc2 || got[0].Text != "�" {
		t.Errorf("%v", got)
	}
}

func TestSamplingOptions(t *testing.T) {
	m := openModel(t, nil)
	warm := []GenerateOption{Temperature(20), TopK(100), TopP(0.99), MinP(0.001), RepetitionPenalty(1.2), IgnoreEndTokens(), MaxTokens(30)}
	texts := func(seed uint64) string {
		return textOf(collect(t, m.NewSession().Generate(t.Context(), "a", append(warm, Seed(seed))...)))
	}
	once, again, other := texts(7), texts(7), texts(8)
	if once != again || once == other {
		t.Errorf("seeds 7, 7, 8: %q, %q, %q", once, again, other)
	}
	for name, opt := range map[string]GenerateOption{
		"temperature": Temperature(-1), "top-k": TopK(-1), "top-p": TopP(2), "min-p": MinP(-1), "repetition penalty": RepetitionPenalty(0),
		"MaxTokens": MaxTokens(-2),
	} {
		s := m.NewSession()
		requireError(t, collectError(s.Generate(t.Context(), "a", opt)), name)
		if s.Position() != 0 {
			t.Errorf("%s: position %d after a refused generation", name, s.Position())
		}
	}
	known := collect(t, m.NewSession().Generate(t.Context(), "<mark>", MaxTokens(1)))
	if known[0].ID > enginetest.Mark {
		t.Errorf("a text is followed by id %d, which has no token", known[0].ID)
	}
	requireIDs(t, collect(t, m.NewSession().GenerateIDs(t.Context(), []int{enginetest.Mark}, MaxTokens(1))), enginetest.Mark+1)
}
