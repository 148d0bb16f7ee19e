package main

import (
	"slices"
	"testing"

	"github.com/mambac/mambac/runtime/report"
)

func TestSamplePrompts(t *testing.T) {
	ids := make([]int, 300)
	for i := range ids {
		ids[i] = i
	}
	for _, c := range []struct {
		n      int
		starts []int
		length int
	}{
		{2, []int{0}, 2},
		{64, []int{0}, 64},
		{127, []int{0}, 64},
		{128, []int{0, 21, 42, 64}, 64},
		{300, []int{0, 78, 157, 236}, 64},
	} {
		s := &sample{ids: ids[:c.n]}
		var starts []int
		for _, p := range s.prompts() {
			starts = append(starts, p[0])
			if len(p) != c.length {
				t.Errorf("%d ids: a prompt of %d, want %d", c.n, len(p), c.length)
			}
		}
		if !slices.Equal(starts, c.starts) {
			t.Errorf("%d ids: prompts begin at %v, want %v", c.n, starts, c.starts)
		}
	}
}

func TestSampleFollowing(t *testing.T) {
	s := &sample{ids: []int{7, 8}}
	if a, b := s.following(0), s.following(1); a != 8 || b != -1 {
		t.Errorf("behind 7 comes %d, behind 8 %d; want 8 and -1", a, b)
	}
}

func TestSamePrefix(t *testing.T) {
	for _, c := range []struct {
		a, b []int
		want int
	}{
		{nil, []int{1}, 0},
		{[]int{1, 2, 3}, []int{1, 5, 3}, 1},
		{[]int{1, 2}, []int{1, 2}, 2},
		{[]int{1, 2}, []int{1, 2, 3}, 2},
	} {
		if got := samePrefix(c.a, c.b); got != c.want {
			t.Errorf("%v and %v: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// TestWindow: logits of a window take bounded room on the disk.
func TestWindow(t *testing.T) {
	for vocabulary, want := range map[int]int{30: 512, 50280: 512, 262144: 128, 1 << 30: 16} {
		if got := newQuality(&sample{}, vocabulary).window; got != want {
			t.Errorf("vocabulary of %d: windows of %d tokens, want %d", vocabulary, got, want)
		}
	}
}

// TestFastIsJudgedInTwoParts: what is sure by the tolerance, the rest by what
// rounding costs, greedy tokens not at all.
func TestFastIsJudgedInTwoParts(t *testing.T) {
	want := &expectation{logits: []float32{1, 2, 3, 4}, greedy: []int{5}, sure: 2, loose: 0.05}
	for _, c := range []struct {
		logits []float32
		ok     bool
	}{
		{[]float32{1, 2, 3, 4}, true},
		{[]float32{1, 2, 3.1, 4}, true},
		{[]float32{1, 2, 3.3, 4}, false},
		{[]float32{1.001, 2, 3, 4}, false},
	} {
		if r := judged(c.logits, want); r != c.ok {
			t.Errorf("%v: %v, want %v", c.logits, r, c.ok)
		}
	}
}

func judged(logits []float32, want *expectation) bool {
	var r report.Rung
	judgeRung(&r, &expectation{logits: logits, greedy: []int{6}}, want, programTolerance)
	return r.OK
}
