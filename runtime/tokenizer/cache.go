package tokenizer

// cache remembers the ids of short words, each at the one place that its hash
// gives it: most words of a text have been seen before.
type cache [1 << cacheBits]cached

const (
	cacheBits      = 12
	cachedBytes    = 16 // words that are longer are not remembered
	cachedIDs      = 5  // nor those of more tokens
	hashMultiplier = 0x9e3779b97f4a7c15
)

type cached struct {
	word  packed
	count uint8
	ids   [cachedIDs]int32
}

// packed is a word of 1 to cachedBytes bytes; different words differ.
type packed struct {
	head, tail uint64 // its first and last bytes, which may overlap
	length     uint8
}

func pack(word string) packed {
	n := len(word)
	switch {
	case n >= 8:
		return packed{load64(word), load64(word[n-8:]), uint8(n)}
	case n >= 4:
		return packed{load32(word), load32(word[n-4:]), uint8(n)}
	}
	return packed{uint64(word[0]), uint64(word[n/2])<<8 | uint64(word[n-1]), uint8(n)}
}

func load64(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func load32(s string) uint64 {
	_ = s[3]
	return uint64(uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24)
}

// slot returns the place of the word.
func (c *cache) slot(w packed) *cached {
	h := (w.head ^ w.tail*hashMultiplier ^ uint64(w.length)) * hashMultiplier
	return &c[h>>(64-cacheBits)]
}
