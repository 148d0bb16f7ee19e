package prefix

// load has a state that lies in a file be in memory, once however many wait for it,
// and tells whether it is one of the position.
func (c *Cache) load(k Key, position int) bool {
	found, putBack, err := c.loads.Take(k, func() (bool, error) { return c.readFile(k, position), nil })
	if err != nil { // a panic of who has read it
		return false
	}
	putBack()
	return found
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
