package prefix

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/mambac/mambac/runtime/engine"
)

// Start is where a text begins.
type Start struct {
	Owner    string // whose it is: nobody else's texts begin with it
	From     string // digest of the state that it goes on from, "" for none
	Position int    // tokens that this has read
}

// Text is a text that is about to be read, and then continued. Its methods are for
// one goroutine at a time.
type Text struct {
	cache  *Cache
	start  int // position of the first id
	ids    []int32
	prompt int // how many ids are to be read

	root  Key
	keys  []Key // at the borders behind start
	keep  []int // positions where the state is kept, ascending
	guess []int // of those, where nothing but hope speaks for it
	saved int   // ids that need not be read

	latest Key // of the state that was kept last of what was written
	wrote  bool
}

// Text prepares the reading of ids. Others will likely begin with so many of them
// as each of likely says.
func (c *Cache) Text(s Start, ids []int32, likely ...int) *Text {
	t := &Text{cache: c, start: s.Position, ids: ids[:len(ids):len(ids)], prompt: len(ids)}
	t.root = sha256.Sum256(fmt.Appendf(nil, "%q %q %q %d", c.o.Model, s.Owner, s.From, s.Position))
	t.chain()
	for _, n := range likely {
		t.want(t.start + n)
	}
	return t
}

// border is the position of a key.
func (t *Text) border(i int) int { return (t.start/t.cache.block + i + 1) * t.cache.block }

// before is how many borders there are up to a position.
func (t *Text) before(position int) int {
	return position/t.cache.block - t.start/t.cache.block
}

// chain computes the keys of all borders: each is a digest of the one before and
// the ids between them.
func (t *Text) chain() {
	for end := t.border(len(t.keys)); end <= t.start+len(t.ids); end = t.border(len(t.keys)) {
		begin, last := t.start, t.root
		if n := len(t.keys); n > 0 {
			begin, last = t.border(n-1), t.keys[n-1]
		}
		block := last[:]
		for _, id := range t.ids[begin-t.start : end-t.start] {
			block = binary.LittleEndian.AppendUint32(block, uint32(id))
		}
		t.keys = append(t.keys, sha256.Sum256(block))
	}
}

// want has the state kept at the last border up to a position.
func (t *Text) want(position int) {
	n := t.before(position)
	if n < 1 || n > len(t.keys) {
		return
	}
	at := t.border(n - 1)
	if i, found := slices.BinarySearch(t.keep, at); !found {
		t.keep = slices.Insert(t.keep, i, at)
	}
}

// most is how many borders have ids behind them.
func (t *Text) most() int { return t.before(t.start + t.prompt - 1) }

// Load has the longest beginning of the text that is kept be in memory, if it lies in
// a file: before Resume, by whoever can wait for that.
func (t *Text) Load() {
	s := t.cache.o.Spill
	if s == nil || t.most() < 1 {
		return
	}
	_, at, _ := t.cache.find(t.keys, t.most())
	for n := t.most(); n > at; n-- {
		if k := t.keys[n-1]; s.holds(k) && t.cache.load(k, t.border(n-1)) {
			return
		}
	}
}

// Resume gives a clone of the state of the longest beginning that is kept, and how
// many ids that is; nil for none. At least one id is left to be read.
func (t *Text) Resume() (state *engine.State, read int) {
	kept, at, seen := t.cache.find(t.keys, t.most())
	t.cache.note(t.keys)
	t.choose(seen)
	if t.cache.count(t, kept, at); kept == nil {
		return nil, 0
	}
	return kept.Clone(), t.saved
}

// count tells of a text that goes on from a state, or could have.
func (c *Cache) count(t *Text, kept *engine.State, at int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case kept != nil:
		t.saved = t.border(at-1) - t.start
		c.stats.Hits++
		c.stats.Saved += int64(t.saved)
	case t.most() > 0:
		c.stats.Misses++
	}
}

// leastWorth is the blocks from which on a prompt's end is kept although no chunk
// ends there: to read on behind it is a pass over the weights more.
const leastWorth = 4

// choose says where the state is kept: where the text parts from those before it,
// as others may; at its end, where it may go on, and before its last token, if it
// comes again. While there is room, also at powers of two, so that at least half of
// what the next one shares with it need not be read.
func (t *Text) choose(seen int) {
	if seen > 0 {
		t.want(t.border(seen - 1))
	}
	chunk := t.cache.o.Chunk
	for end := t.start + t.prompt - 1; end <= t.start+t.prompt; end++ {
		if len(t.keys) < leastWorth {
			t.want(end - end%chunk)
		} else {
			t.want(end)
		}
	}
	for n := t.start/chunk + 1; n*chunk <= t.start+t.prompt; n++ {
		if _, wanted := slices.BinarySearch(t.keep, n*chunk); bits.OnesCount(uint(n)) == 1 && !wanted {
			t.want(n * chunk)
			t.guess = append(t.guess, n*chunk)
		}
	}
}

// Saved is how many ids Resume has found to be read already.
func (t *Text) Saved() int { return t.saved }

// Pause implements schedule.Request.
func (t *Text) Pause(position, end int) int {
	for _, at := range t.keep {
		if at > position && at <= end {
			return at
		}
	}
	return 0
}

// Border is told the state at the end of a chunk, and where Pause says so.
func (t *Text) Border(state *engine.State) {
	if _, wanted := slices.BinarySearch(t.keep, state.Pos()); wanted {
		t.cache.put(t.keys[t.before(state.Pos())-1], state, slices.Contains(t.guess, state.Pos()))
	}
}

// Written is told the state with each token that it reads behind the prompt, and
// all ids that have been written so far. The last border of both together is kept:
// a conversation goes on behind it.
func (t *Text) Written(ids []int32, state *engine.State) {
	if state.Pos()%t.cache.block != 0 {
		return
	}
	t.ids = append(t.ids, ids[len(t.ids)-t.prompt:state.Pos()-t.start-t.prompt]...)
	t.chain()
	key := t.keys[t.before(state.Pos())-1]
	if t.cache.holds(key) || !t.cache.put(key, state, false) {
		return
	}
	if t.wrote {
		t.cache.strip(t.latest)
	}
	t.latest, t.wrote = key, true
}
