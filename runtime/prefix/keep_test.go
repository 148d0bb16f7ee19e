package prefix

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
)

// policies are what could be kept of a text.
var policies = map[string]func(*Text){
	"chosen": func(*Text) {},
	"all": func(t *Text) {
		t.keep, t.guess = nil, nil
		for at := (t.start/chunk128 + 1) * chunk128; at <= t.start+t.prompt; at += chunk128 {
			t.want(at)
		}
		t.want(t.start + t.prompt)
	},
	"even": func(t *Text) { t.guess = nil },
	"sure": func(t *Text) {
		t.keep = slices.DeleteFunc(t.keep, func(at int) bool { return slices.Contains(t.guess, at) })
	},
	"last": func(t *Text) {
		t.keep, t.guess = nil, nil
		t.want(t.start + t.prompt)
	},
}

const chunk128 = 128

// BenchmarkKeep compares them: what part of the ids of prompts is read, with room
// for so many states.
func BenchmarkKeep(b *testing.B) {
	e := newEngine(b, enginetest.Remembering(vocab, false))
	for _, room := range []int64{32, 128, 512} {
		for _, name := range []string{"all", "last", "chosen", "even", "sure"} {
			b.Run(fmt.Sprintf("%s/states=%d", name, room), func(b *testing.B) {
				for b.Loop() {
					b.ReportMetric(100*readPart(e, room, policies[name]), "%read")
				}
			})
		}
	}
}

// readPart has 2,000 prompts read, or nothing but counted: half of them one of 8
// instructions with a question, a quarter one of 64 documents with one, a quarter
// the next turn of one of the last 20 conversations.
func readPart(e *engine.Engine, room int64, policy func(*Text)) float64 {
	const pages = 200 // a state is much larger than a border without one
	c := New(Options{Memory: room * (overhead + int64(engine.Held(lanes)) + pages*page), Chunk: chunk128})
	defer c.Close()
	r := rand.New(rand.NewPCG(1, 1))
	var talks [][]int32
	all, done := 0, 0
	for n := range 2000 {
		question := ids(uint64(1000+n), 20+r.IntN(180))
		var text []int32
		switch kind := r.IntN(4); {
		case kind < 2:
			of := r.Uint64N(8)
			text = slices.Concat(ids(of, 200+150*int(of)), question)
		case kind == 2 || talks == nil:
			text = slices.Concat(ids(10+r.Uint64N(64), 4000), question)
		default:
			text = slices.Concat(talks[r.IntN(len(talks))], question)
		}
		if talks = append(talks, text); len(talks) > 20 {
			talks = talks[1:]
		}
		x := c.Text(Start{}, text)
		_, known := x.Resume()
		policy(x)
		for _, at := range x.keep {
			if at > known {
				s := e.NewState()
				e.Place(s, pages*engine.PageTokens)
				s.SetPos(at)
				x.Border(s)
			}
		}
		all, done = all+len(text), done+len(text)-known
	}
	return float64(done) / float64(all)
}
