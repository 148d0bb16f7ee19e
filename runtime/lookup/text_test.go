package lookup

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func read(ids ...int32) *text {
	t := newText()
	for _, id := range ids {
		t.add(id)
	}
	return t
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		ids     []int32
		matched int
		ahead   []int32
	}{
		{nil, 0, nil},
		{[]int32{1}, 0, nil},
		{[]int32{1, 2, 3}, 0, nil},
		{[]int32{1, 2, 1}, 1, []int32{2, 1, 2, 1, 2}},
		{[]int32{7, 7}, 1, []int32{7, 7, 7, 7, 7}},
		{[]int32{1, 2, 3, 9, 2, 4, 2}, 1, []int32{4, 2, 4, 2, 4}},                      // the last one
		{[]int32{1, 2, 3, 9, 2, 4, 1, 2}, 2, []int32{3, 9, 2, 4, 1}},                   // but the longer one first
		{[]int32{5, 1, 2, 3, 4, 6, 2, 3, 4, 8, 1, 2, 3, 4}, 4, []int32{6, 2, 3, 4, 8}}, // of four
		{[]int32{1, 2, 3, 1, 2, 3, 1, 2, 3, 1}, 7, []int32{2, 3, 1, 2, 3}},
	} {
		text := read(c.ids...)
		if ahead := text.ahead(nil, 5); text.matched != c.matched || !slices.Equal(ahead, c.ahead) {
			t.Errorf("%v: matched %d, then %v; want %d, %v", c.ids, text.matched, ahead, c.matched, c.ahead)
		}
	}
}

func TestAheadAppends(t *testing.T) {
	if got := read(1, 2, 1).ahead([]int32{8, 9}, 3); !slices.Equal(got, []int32{8, 9, 2, 1, 2}) {
		t.Errorf("%v", got)
	}
}

// TestWindow: what the ring has lost is not found, even where slots name it yet.
func TestWindow(t *testing.T) {
	text := read(1, 2, 3)
	for i := range int32(window - 10) {
		text.add(100 + i)
	}
	for _, id := range []int32{1, 2} {
		text.add(id)
	}
	if text.matched != 2 || text.next() != 3 {
		t.Errorf("within the window: matched %d", text.matched)
	}
	for i := range int32(window) {
		text.add(-100 - i)
	}
	if text.add(1); text.matched != 0 {
		t.Errorf("behind it: matched %d", text.matched)
	}
}

// TestWraps: the counter may.
func TestWraps(t *testing.T) {
	text := newText()
	text.count -= 20
	for i := range int32(30) {
		text.add(i % 7)
	}
	if got := text.ahead(nil, 3); !slices.Equal(got, []int32{2, 3, 4}) || text.matched != 23 {
		t.Errorf("%v after %d", got, text.matched)
	}
}

// checkSound holds a match against the whole text.
func checkSound(t *testing.T, text *text, all []int32) {
	t.Helper()
	if text.matched == 0 {
		return
	}
	at := len(all) - int(text.count-text.at)
	if at < text.matched || !slices.Equal(all[at-text.matched:at], all[len(all)-text.matched:]) {
		t.Fatalf("%d ids before %d are not those at the end of %v", text.matched, at, all)
	}
	longer := text.matched < deepest && at > text.matched && all[at-text.matched-1] == all[len(all)-text.matched-1]
	if longer && int(text.kept) == len(all) {
		t.Fatalf("more than %d ids before %d are those at the end of %v", text.matched, at, all)
	}
	ahead := text.ahead(nil, 9)
	if want := slices.Concat(all[at:min(at+9, len(all))], ahead); !slices.Equal(ahead, want[:9]) {
		t.Fatalf("behind %v, %v follows", all, ahead)
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("abcabcabcabd"), uint8(3))
	f.Add([]byte{0, 0, 0, 1, 0, 0}, uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, repeats uint8) {
		data = data[:min(len(data), 200)]
		text, all := newText(), []int32(nil)
		for range int(repeats)%8 + 1 {
			for _, b := range data {
				text.add(int32(b) - 3)
				all = append(all, int32(b)-3)
				checkSound(t, text, all)
			}
		}
	})
}

// TestLastMatch holds places against a search of the whole text. Few are lost to
// ids of the same hash.
func TestLastMatch(t *testing.T) {
	const n = 3000
	r := rand.New(rand.NewPCG(1, 1))
	text, all, lost := newText(), []int32(nil), 0
	for range n {
		id := r.Int32N(4)
		text.add(id)
		all = append(all, id)
		checkSound(t, text, all)
		if at, n := lastMatch(all); n > 0 && (text.matched < n || len(all)-int(text.count-text.at) != at) {
			lost++
		}
	}
	if lost > n/100 {
		t.Errorf("%d of %d matches were not found", lost, n)
	}
}

// lastMatch finds the last place where the longest run of lengths came before.
func lastMatch(all []int32) (at, n int) {
	for _, n := range slices.Backward(lengths[:]) {
		for at := len(all) - 1; at >= n; at-- {
			if slices.Equal(all[at-n:at], all[len(all)-n:]) {
				return at, n
			}
		}
	}
	return 0, 0
}

func BenchmarkAdd(b *testing.B) {
	text, r := newText(), rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		text.add(r.Int32N(50280))
	}
}
