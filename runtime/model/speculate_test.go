package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/mambac/mambac/runtime/enginetest"
)

// cycle is ids after which the fake model goes round once more: there is a
// candidate for whatever follows.
func cycle(from int) []int {
	var ids []int
	for i := range 2 * vocab {
		ids = append(ids, (from+i)%vocab)
	}
	return ids
}

// both generates with and without speculation, and requires that tokens and
// errors are the same, and sessions afterwards.
func both(t *testing.T, m *Model, s *Speculation, prompt []int, opts ...GenerateOption) {
	t.Helper()
	tell := func(tokens iter.Seq2[Token, error]) (told string) {
		for token, err := range tokens {
			told += fmt.Sprintf("%v %v\n", token, err)
		}
		return told
	}
	ahead, plain := read(t, m.NewSession(), 7), read(t, m.NewSession(), 7)
	have := tell(ahead.GenerateIDs(t.Context(), prompt, append(opts, Speculate(s))...))
	if want := tell(plain.GenerateIDs(t.Context(), prompt, opts...)); have != want {
		t.Errorf("generated\n%swant\n%s", have, want)
	}
	requireSame(t, "behind", ahead, plain)
	requireSame(t, "fork", ahead.Fork(), plain)
}

// TestSpeculation: ends, bounds and stop texts come at every place of a pass, with
// candidates that are all right, all wrong, or some of each.
func TestSpeculation(t *testing.T) {
	m := openModel(t, nil, Threads(2))
	wrong := []int{}
	for id := range vocab {
		wrong = append(wrong, id, id) // the model never repeats one
	}
	mixed := append(cycle(0), 'd', 'x', 'h', 'i', 'y')
	for name, text := range map[string][]int{"right": cycle(0), "wrong": wrong, "mixed": mixed, "none": nil} {
		for n := range 12 {
			for option, opts := range map[string][]GenerateOption{
				"end":     nil, // p comes after n more
				"bound":   {MaxTokens(n)},
				"ignored": {IgnoreEndTokens(), MaxTokens(40 + n)},
				"stop":    {Stop("mn")},
				"penalty": {RepetitionPenalty(1.5), MaxTokens(20 + n)},
				"drawn":   {Temperature(5), Seed(uint64(n)), MaxTokens(20 + n), IgnoreEndTokens()},
			} {
				t.Run(fmt.Sprint(name, " ", option, " ", n), func(t *testing.T) {
					s := &Speculation{Always: true, Text: text}
					both(t, m, s, []int{enginetest.End - 1 - n}, opts...)
					if option == "ignored" && name == "right" && s.Accepted < 20 || name == "wrong" && option == "ignored" && s.Accepted > 0 {
						t.Errorf("%+v", s)
					}
				})
			}
		}
		both(t, m, &Speculation{Text: text}, []int{3}, MaxTokens(700), IgnoreEndTokens())
	}
}

// TestSpeculationOfDrawnTexts: none without Always.
func TestSpeculationOfDrawnTexts(t *testing.T) {
	m := openModel(t, nil)
	s := &Speculation{Text: cycle(0)}
	both(t, m, s, []int{1}, Temperature(1), Seed(3), MaxTokens(20))
	if s.Passes != 0 || s.Candidates != 0 {
		t.Errorf("%+v", s)
	}
	requireError(t, collectError(m.NewSession().GenerateIDs(t.Context(), []int{1}, Speculate(&Speculation{Text: []int{vocab}}))), "outside the vocabulary")
	requireIDs(t, collect(t, m.NewSession().GenerateIDs(t.Context(), []int{1}, Speculate(nil), MaxTokens(2))), 2, 3)
}

// TestSpeculationInTheLoop: whatever looks at the session sees it before the token
// at hand, and what it does does not show.
func TestSpeculationInTheLoop(t *testing.T) {
	m := openModel(t, nil)
	s := m.NewSession()
	position := 0
	for token, err := range s.GenerateIDs(t.Context(), []int{'a'}, MaxTokens(40), IgnoreEndTokens(), Speculate(&Speculation{Always: true, Text: cycle(0)})) {
		if err != nil {
			t.Fatal(err)
		}
		position++
		before := m.NewSession()
		for id := 'a'; int(id) < token.ID; id++ {
			read(t, before, int(id))
		}
		if s.Position() != position || len(s.Logits()) != vocab {
			t.Fatalf("position %d, want %d", s.Position(), position)
		}
		switch position % 4 {
		case 1:
			requireSame(t, "fork in the loop", s.Fork(), before)
		case 2:
			var file bytes.Buffer
			if err := s.Save(&file); err != nil {
				t.Fatal(err)
			}
			restored := m.NewSession()
			if err := restored.Restore(&file); err != nil {
				t.Fatal(err)
			}
			if restored.Position() != position || restored.text != before.text {
				t.Errorf("restored at %d, want %d", restored.Position(), position)
			}
			requireIDs(t, collect(t, restored.GenerateIDs(t.Context(), nil, MaxTokens(1))), token.ID)
		}
	}
}

// TestSpeculationLeft: a loop is left, cancelled and gone on with in every way.
func TestSpeculationLeft(t *testing.T) {
	m := openModel(t, nil)
	for n := range 10 {
		for name, on := range map[string]func(s *Session) error{
			"step":     func(s *Session) error { return s.Step(t.Context(), 'x') },
			"prefill":  func(s *Session) error { return s.Prefill(t.Context(), []int{'x'}) },
			"generate": func(s *Session) error { return collectError(s.GenerateIDs(t.Context(), []int{'x'}, MaxTokens(0))) },
			"again": func(s *Session) error {
				return collectError(s.GenerateIDs(t.Context(), []int{'x'}, MaxTokens(0), Speculate(&Speculation{Always: true})))
			},
			"restore": func(s *Session) error {
				var file bytes.Buffer
				return errors.Join(s.Save(&file), s.Prefill(t.Context(), []int{4, 5}), s.Restore(&file), s.Step(t.Context(), 'x'))
			},
		} {
			s, plain := m.NewSession(), read(t, m.NewSession(), 'a')
			ctx, cancel := context.WithCancel(t.Context())
			count := 0
			for token, err := range s.GenerateIDs(ctx, []int{'a'}, MaxTokens(-1), IgnoreEndTokens(), Speculate(&Speculation{Always: true, Text: cycle(0)})) {
				if errors.Is(err, context.Canceled) {
					break
				}
				read(t, plain, token.ID)
				if count++; count == n+1 && n%2 == 0 {
					break
				} else if count == n+1 {
					cancel()
				}
			}
			cancel()
			if err := on(s); err != nil {
				t.Fatal(err)
			}
			read(t, plain, 'x')
			requireSame(t, fmt.Sprint(name, " after ", n), s, plain)
		}
	}
}

// TestSpeculationGoesOn: the next generation knows what the one before has read.
func TestSpeculationGoesOn(t *testing.T) {
	m := openModel(t, nil)
	s, a := m.NewSession(), &Speculation{Always: true}
	first := collect(t, s.GenerateIDs(t.Context(), []int{'a'}, MaxTokens(vocab), IgnoreEndTokens(), Speculate(a)))
	if a.Accepted != 0 {
		t.Errorf("%+v", a)
	}
	second := collect(t, s.GenerateIDs(t.Context(), nil, MaxTokens(vocab), IgnoreEndTokens(), Speculate(a)))
	if a.Accepted < vocab/2 || a.Accepted > a.Candidates || a.Passes > 2*vocab-a.Accepted {
		t.Errorf("%+v", a)
	}
	for i := range second {
		if second[i] != first[i] {
			t.Fatalf("token %d is %v, want %v", i, second[i], first[i])
		}
	}
}
