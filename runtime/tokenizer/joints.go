package tokenizer

import (
	"fmt"
	"math/bits"
	"slices"
)

// joints tells between which symbols that words start as a merge may reach: a
// filter of the pairs that some merge has at its seam, however its two tokens
// came about. Between all others a long word is cut, and only short parts of it
// are left to be merged. The filter is the logarithm of its number of bits, as
// uint32, then the bits; without it merges may reach anywhere.
type joints struct {
	bits  []byte
	shift uint
}

const (
	minJointBits = 6
	maxJointBits = 22
	// maxEdges bounds what a token may begin or end with, and maxRounds how
	// often merges are looked through: vocabularies have one and two.
	maxEdges  = 4
	maxRounds = 16
)

func (j *joints) open(section []byte) error {
	if len(section) == 0 {
		return nil
	}
	if len(section) < 4 {
		return fmt.Errorf("joints of %d bytes", len(section))
	}
	logBits := order.Uint32(section)
	if logBits < minJointBits || logBits > maxJointBits || len(section) != 4+1<<logBits/8 {
		return fmt.Errorf("joints of %d bytes with 1<<%d bits", len(section), logBits)
	}
	j.bits, j.shift = section[4:], uint(64-logBits)
	return nil
}

// may tells whether a merge may reach from the one symbol into the other.
func (j *joints) may(left, right int32) bool {
	if j.bits == nil {
		return true
	}
	at := pairOf(left, right) * hashMultiplier >> j.shift
	return j.bits[at/8]&(1<<(at%8)) != 0
}

// appendJoints writes the filter, or nothing for merges that no vocabulary has.
func (t *Table) appendJoints(dst []byte) []byte {
	if t.Model.Kind == Unigram {
		return dst
	}
	firsts, ok := t.edges(func(m Merge) int32 { return m.Left })
	if !ok {
		return dst
	}
	lasts, ok := t.edges(func(m Merge) int32 { return m.Right })
	if !ok {
		return dst
	}
	seams := map[uint64]bool{}
	for _, m := range t.Merges {
		for _, left := range lasts[m.Left] {
			for _, right := range firsts[m.Right] {
				seams[pairOf(left, right)] = true
			}
		}
	}
	logBits := min(max(bits.Len(uint(16*len(seams))), minJointBits), maxJointBits)
	section := make([]byte, 1<<logBits/8)
	for pair := range seams {
		at := pair * hashMultiplier >> (64 - logBits)
		section[at/8] |= 1 << (at % 8)
	}
	return append(order.AppendUint32(dst, uint32(logBits)), section...)
}

// edges returns, for every token, the symbols that it may have at one end: it
// itself, if words may start as it, and those of the tokens there that it is
// merged of. It gives up where there are many.
func (t *Table) edges(of func(Merge) int32) (edges [][]int32, ok bool) {
	edges = make([][]int32, len(t.Tokens))
	start := func(id int32) {
		if id != None {
			edges[id] = []int32{id}
		}
	}
	for _, id := range t.Alphabet {
		start(id)
	}
	for _, p := range t.Pieces {
		start(p.ID)
	}
	start(t.Model.Unknown)
	for range maxRounds {
		changed := false
		for _, m := range t.Merges {
			for _, id := range edges[of(m)] {
				if slices.Contains(edges[m.Result], id) {
					continue
				}
				if changed = true; len(edges[m.Result]) == maxEdges {
					return nil, false
				}
				edges[m.Result] = append(edges[m.Result], id)
			}
		}
		if !changed {
			return edges, true
		}
	}
	return nil, false
}
