package prefix

import "sync"

// load is the reading of a state's file: once, however many wait for it.
type load struct {
	users int // guarded by the cache's mu
	once  sync.Once
	found bool
}

// load has a state that lies in a file be in memory, and tells whether it is one of
// the position.
func (c *Cache) load(k Key, position int) bool {
	c.mu.Lock()
	l := c.loads[k]
	if l == nil {
		l = &load{}
		c.loads[k] = l
	}
	l.users++
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(c.loads, k)
		}
	}()
	l.once.Do(func() { l.found = c.readFile(k, position) })
	return l.found
}

// readFile is load by one. Files are read one after the other: what is read has no
// part in what is held yet.
func (c *Cache) readFile(k Key, position int) bool {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.holds(k) { // those that read it have left since
		return true
	}
	state := c.o.Spill.get(k)
	if state == nil {
		return false
	}
	if state.Pos() != position {
		c.o.Spill.drop(k)
		return false
	}
	c.put(k, state, false)
	return true
}
