// Package prefix keeps states that a model has had within texts, so that what
// begins like one of them is not read from its beginning; it sees the runtime only.
package prefix

import (
	"container/list"
	"crypto/sha256"
	"sync"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/shelf"
)

// Key stands for the beginning of a text: a digest of whose text it is and of the
// ids up to a border.
type Key [sha256.Size]byte

// Options say what is kept.
type Options struct {
	Memory int64  // bytes of all that is held
	Chunk  int    // tokens of the engine's chunk
	Model  string // what makes states those of this program and no other
	Spill  *Spill // where states go that memory has no room for; nil for nowhere
}

// Cache holds states at borders: ends of blocks of so many tokens, counted from
// the beginning of a text. What has not been asked for the longest goes first.
// States are never changed, so that clones of them may be taken at any time.
type Cache struct {
	o     Options
	block int
	limit int64 // of bytes

	mu      sync.Mutex
	entries map[Key]*list.Element
	recent  list.List        // of *entry, the last one that was used first
	pages   map[*float32]int // by how many states each page of caches is held
	bytes   int64
	stats   Stats

	leaving int64 // bytes on their way to Spill
	closed  bool
	queue   chan *entry
	written chan struct{} // closed when the queue has been

	loads   shelf.Shelf[Key, bool] // of files that are being read
	reading sync.Mutex             // held while one of them is
}

// entry is a border that has been seen. Memory for those without a state is little,
// and they tell where texts part.
type entry struct {
	key   Key
	state *engine.State // nil if none is kept
	guess bool          // nobody has used it yet, and perhaps nobody will
}

// overhead is about what an entry takes besides its state, in bytes.
const overhead = 256

// leavingPart is the part of Memory, one of so many, for states on their way to
// Spill.
const leavingPart = 8

// Stats counts what there is and what has been.
type Stats struct {
	States    int   // that are held
	Bytes     int64 // of all that is held
	Hits      int   // texts that began with one
	Misses    int   // texts that could have
	Saved     int64 // tokens that were not read again
	Evictions int   // states that made room for others

	SpilledStates int   // that lie in files
	SpilledBytes  int64 // of these
	Damaged       int   // files that were not what they should be
	Unwritten     int   // states that no file could be written of
}

// New makes an empty cache, which must be closed.
func New(o Options) *Cache {
	c := &Cache{
		o: o, block: min(o.Chunk, engine.PageTokens), limit: o.Memory, entries: map[Key]*list.Element{},
		pages: map[*float32]int{}, queue: make(chan *entry, 64), written: make(chan struct{}),
	}
	if o.Spill == nil {
		close(c.written)
		return c
	}
	c.limit -= o.Memory / leavingPart
	go c.write()
	return c
}

// Close waits for states that are being written.
func (c *Cache) Close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.queue)
	}
	c.mu.Unlock()
	<-c.written
}

// Stats counts what there is at the moment.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Bytes = c.bytes + c.leaving
	if c.o.Spill != nil {
		s.SpilledStates, s.SpilledBytes, s.Damaged = c.o.Spill.count()
		s.Unwritten = c.o.Spill.lost()
	}
	return s
}

// find gives the state of the last of keys that has one, among the first most, and
// how many of all keys have been seen before, with a state or without.
func (c *Cache) find(keys []Key, most int) (state *engine.State, at, seen int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for at = len(keys); at > 0; at-- {
		if c.entries[keys[at-1]] == nil {
			continue
		}
		seen = max(seen, at)
		if at > most {
			continue
		}
		if state = c.use(keys[at-1]); state != nil {
			return state, at, seen
		}
	}
	return nil, 0, seen
}

// note remembers that a text has these keys, the first ones the longest.
func (c *Cache) note(keys []Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(keys) - 1; i >= 0; i-- {
		if e := c.entries[keys[i]]; e != nil {
			if e.Value.(*entry).state == nil {
				c.recent.MoveToFront(e)
			}
			continue
		}
		c.insert(&entry{key: keys[i]})
	}
	c.shrink()
}

// use gives the state of a key, if there is one, and makes it a recent one.
func (c *Cache) use(k Key) *engine.State {
	at := c.entries[k]
	if at == nil {
		return nil
	}
	e := at.Value.(*entry)
	if e.state != nil {
		e.guess = false
		c.recent.MoveToFront(at)
	}
	return e.state
}

// holds tells whether there is a state of a key, and makes it a recent one.
func (c *Cache) holds(k Key) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.use(k) != nil
}

// room is how many bytes a state may have, those that it shares included. A guess
// takes what is free, others what all of memory is.
func (c *Cache) room(guess bool) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if guess {
		return c.limit - overhead - c.bytes
	}
	return c.limit - overhead
}

// put keeps a clone of a state, unless there is no room for it. A guess is the
// first to go, until it is used.
func (c *Cache) put(k Key, state *engine.State, guess bool) (kept bool) {
	if !guess && c.holds(k) {
		return true
	}
	if int64(state.Held()) > c.room(guess) {
		return false
	}
	state = state.Clone() // which takes time
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[k]; e != nil {
		if guess && e.Value.(*entry).state != nil {
			return true
		}
		c.remove(e)
	}
	at := c.insert(&entry{k, state, guess})
	if guess {
		c.recent.MoveToBack(at)
	}
	c.shrink()
	return true
}

// strip gives up the state of a key that a better one has taken the place of.
func (c *Cache) strip(k Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[k]; e != nil {
		c.remove(e)
		c.insert(&entry{key: k})
	}
}

// insert makes an entry the most recent one.
func (c *Cache) insert(e *entry) *list.Element {
	at := c.recent.PushFront(e)
	c.entries[e.key] = at
	c.bytes += overhead
	if e.state == nil {
		return at
	}
	c.stats.States++
	c.bytes += held(e.state.Block())
	for p := range e.state.Pages() {
		if c.pages[&p[0]]++; c.pages[&p[0]] == 1 {
			c.bytes += held(p)
		}
	}
	return at
}

func (c *Cache) remove(at *list.Element) *entry {
	e := c.recent.Remove(at).(*entry)
	delete(c.entries, e.key)
	c.bytes -= overhead
	if e.state == nil {
		return e
	}
	c.stats.States--
	c.bytes -= held(e.state.Block())
	for p := range e.state.Pages() {
		if c.pages[&p[0]]--; c.pages[&p[0]] == 0 {
			delete(c.pages, &p[0])
			c.bytes -= held(p)
		}
	}
	return e
}

// held is the memory that a part of a state takes.
func held(part []float32) int64 { return int64(engine.Held(len(part))) }

// shrink makes room. Every state stands for itself: those of longer texts stay
// right without it.
func (c *Cache) shrink() {
	for c.bytes > c.limit {
		if e := c.remove(c.recent.Back()); e.state != nil {
			c.stats.Evictions++
			c.leave(e)
		}
	}
}

// leave has a state written, unless it is a guess, if what writes has time for it:
// no text waits for a disk.
func (c *Cache) leave(e *entry) {
	size := int64(e.state.Held())
	if c.o.Spill == nil || e.guess || c.closed || c.leaving+size > c.o.Memory/leavingPart || c.o.Spill.holds(e.key) {
		return
	}
	select {
	case c.queue <- e:
		c.leaving += size
	default:
	}
}

// write writes what leaves.
func (c *Cache) write() {
	defer close(c.written)
	for e := range c.queue {
		c.o.Spill.put(e.key, e.state)
		c.mu.Lock()
		c.leaving -= int64(e.state.Held())
		c.mu.Unlock()
	}
}
