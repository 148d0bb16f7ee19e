package lookup

const (
	// window is the number of ids in which candidates are looked for, the last
	// ones; a power of two.
	window = 1 << 15
	// bits of a hash that choose a slot: there are as many as ids in the window.
	bits = 15
	// deepest is how many ids of a match are counted.
	deepest = 24
)

// lengths are those of the runs of ids by which matches are found.
var lengths = [...]int{1, 2, 4, 8}

// text is the end of a text, in which what may follow it is looked for. Its
// memory is fixed, and an id takes the same time however many came before.
type text struct {
	ids   []int32                // a ring
	count uint32                 // of ids so far; it may wrap
	kept  uint32                 // ids in the ring
	last  [len(lengths)][]uint32 // by hash of the last ids: the count behind them

	at      uint32 // count before the id that followed the match
	matched int    // ids before it that are those at the end; 0 for no match
}

func newText() *text {
	t := &text{ids: make([]int32, window)}
	for i := range t.last {
		t.last[i] = make([]uint32, 1<<bits)
	}
	return t
}

// id is the one that was added when there were n.
func (t *text) id(n uint32) int32 { return t.ids[n%window] }

// add appends an id and finds the last place where the same ids came before,
// as many of them as possible.
func (t *text) add(id int32) {
	t.ids[t.count%window] = id
	t.count++
	t.kept = min(t.kept+1, window)
	t.matched = 0
	hash, table := uint64(0), 0
	for n := 1; table < len(lengths) && n <= int(t.kept); n++ {
		hash = (hash + uint64(uint32(t.id(t.count-uint32(n)))) + 1) * 0x9e3779b97f4a7c15
		if n < lengths[table] {
			continue
		}
		slot := &t.last[table][hash>>(64-bits)]
		if matched := t.match(*slot); matched >= n {
			t.at, t.matched = *slot, matched
		}
		*slot = t.count
		table++
	}
}

// match counts the ids before a place that are those at the end. Hashes may be
// those of others, and slots older than the ring.
func (t *text) match(at uint32) int {
	age := t.count - at
	if age == 0 || age >= t.kept {
		return 0
	}
	n, most := uint32(0), min(deepest, t.kept-age)
	for n < most && t.id(at-n-1) == t.id(t.count-n-1) {
		n++
	}
	return int(n)
}

// next is the id that is likely to follow; only with a match.
func (t *text) next() int32 { return t.id(t.at) }

// ahead appends n ids that followed the match, if there is one. Where they come
// to the end of the text, it goes on as it would with them.
func (t *text) ahead(dst []int32, n int) []int32 {
	if t.matched == 0 {
		return dst
	}
	own := dst
	for i := range uint32(n) {
		if left := t.count - t.at; i < left {
			dst = append(dst, t.id(t.at+i))
		} else {
			dst = append(dst, dst[uint32(len(own))+i-left])
		}
	}
	return dst
}
