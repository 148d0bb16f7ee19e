package tokenizer

import (
	"fmt"
	"math/bits"
)

// merges finds the merge of a pair of ids in a hash table with linear probing
// that lies in the mapped bytes:
//
//	multiplier uint64 │ log2 of the number of slots, probes uint32 │ slots:
//	pair uint64, rank uint32, result uint32
//
// A pair's first slot is the top bits of pair × multiplier, and no pair lies
// more than probes slots on: the table's builder tries multipliers until that
// holds, so no vocabulary can make a look-up long.
type merges struct {
	slots      []byte
	multiplier uint64
	shift      uint
	mask       uint64
	probes     uint32
	size       int32 // results at or above it are none
}

const (
	mergeHeader = 16
	slotBytes   = 16
	maxProbes   = 32
	maxSlotBits = 24
	// noPair marks a free slot; ids are below 1<<31, so no pair has it.
	noPair = 1<<64 - 1
	// noMerge is the rank of a pair that does not merge: the least urgent.
	noMerge = 1<<32 - 1
)

func (m *merges) open(section []byte, size int32) error {
	if len(section) < mergeHeader {
		return fmt.Errorf("merges of %d bytes, want at least %d", len(section), mergeHeader)
	}
	logSlots, probes := order.Uint32(section[8:]), order.Uint32(section[12:])
	if logSlots > maxSlotBits || probes > maxProbes || len(section) != mergeHeader+slotBytes<<logSlots {
		return fmt.Errorf("merges with 1<<%d slots, %d probes, %d bytes", logSlots, probes, len(section))
	}
	m.multiplier = order.Uint64(section)
	m.shift = uint(64 - logSlots)
	m.mask = 1<<logSlots - 1
	m.probes = probes
	m.size = size
	m.slots = section[mergeHeader:]
	return nil
}

// find returns the rank of the pair and what it becomes, or noMerge.
func (m *merges) find(left, right int32) (rank uint32, result int32) {
	pair := pairOf(left, right)
	at := pair * m.multiplier >> m.shift
	for range m.probes {
		slot := m.slots[at*slotBytes:][:slotBytes]
		switch order.Uint64(slot) {
		case pair:
			if id := order.Uint32(slot[12:]); id < uint32(m.size) {
				return order.Uint32(slot[8:]), int32(id)
			}
			return noMerge, -1
		case noPair:
			return noMerge, -1
		}
		at = (at + 1) & m.mask
	}
	return noMerge, -1
}

func pairOf(left, right int32) uint64 {
	return uint64(uint32(left))<<32 | uint64(uint32(right))
}

// slot is what appendPairs places.
type slot struct {
	pair         uint64
	rank, result uint32
}

// appendMerges writes the hash table of the merges.
func appendMerges(dst []byte, list []Merge) ([]byte, error) {
	dst, err := appendPairs(dst, distinct(list))
	if err != nil {
		return nil, fmt.Errorf("merges: %w", err)
	}
	return dst, nil
}

// appendPairs writes a hash table of different pairs. It tries several
// multipliers at several sizes; that all fail takes a vocabulary made for it.
func appendPairs(dst []byte, pairs []slot) ([]byte, error) {
	small := max(1, bits.Len(uint(2*len(pairs))))
	for logSlots := small; logSlots <= min(small+2, maxSlotBits); logSlots++ {
		multiplier := uint64(0x9e3779b97f4a7c15)
		for range 16 {
			if slots, probes := place(pairs, multiplier, logSlots); slots != nil {
				dst = order.AppendUint64(dst, multiplier)
				dst = order.AppendUint32(dst, uint32(logSlots))
				dst = order.AppendUint32(dst, probes)
				return appendSlots(dst, slots), nil
			}
			multiplier = multiplier*0xd1342543de82ef95 + 0x2545f4914f6cdd1e | 1
		}
	}
	return nil, fmt.Errorf("%d pairs do not fit a hash table", len(pairs))
}

// distinct returns the merges of different pairs, the last of each, by rank.
func distinct(list []Merge) []slot {
	last := make(map[uint64]int, len(list))
	for rank, m := range list {
		last[pairOf(m.Left, m.Right)] = rank
	}
	pairs := make([]slot, 0, len(last))
	for rank, m := range list {
		if pair := pairOf(m.Left, m.Right); last[pair] == rank {
			pairs = append(pairs, slot{pair, uint32(rank), uint32(m.Result)})
		}
	}
	return pairs
}

// place returns the slots and the longest probe, or nil if one is too long.
func place(pairs []slot, multiplier uint64, logSlots int) ([]slot, uint32) {
	slots := make([]slot, 1<<logSlots)
	for i := range slots {
		slots[i].pair = noPair
	}
	longest := uint32(1)
	for _, p := range pairs {
		at := p.pair * multiplier >> (64 - logSlots)
		probes := uint32(1)
		for slots[at].pair != noPair {
			at = (at + 1) & uint64(len(slots)-1)
			if probes++; probes > maxProbes {
				return nil, 0
			}
		}
		slots[at] = p
		longest = max(longest, probes)
	}
	return slots, longest
}

func appendSlots(dst []byte, slots []slot) []byte {
	for _, s := range slots {
		dst = order.AppendUint64(dst, s.pair)
		dst = order.AppendUint32(dst, s.rank)
		dst = order.AppendUint32(dst, s.result)
	}
	return dst
}
