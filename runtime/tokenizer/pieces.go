package tokenizer

import "fmt"

// pieces finds ids by their texts, in a trie that is a hash table like that of
// merges: the pair of a node and a byte has the child as its result and, as
// its rank, the id of the piece that ends there. The root is node 0.
type pieces struct {
	edges merges
	size  uint32 // ids at or above it are none
}

const (
	// maxNodes bounds the trie: the distinct beginnings of all pieces.
	maxNodes = 1 << 22
	// noPiece is the rank of an edge that ends no piece.
	noPiece = noMerge - 1
	root    = 0
)

func (p *pieces) open(section []byte, size int32) error {
	p.size = uint32(size)
	if err := p.edges.open(section, maxNodes); err != nil {
		return fmt.Errorf("pieces: %w", err)
	}
	return nil
}

// follow returns the node behind a byte, and the id of the piece that ends
// there, or None; the node is None where no piece goes on.
func (p *pieces) follow(node int32, c byte) (child, id int32) {
	rank, child := p.edges.find(node, int32(c))
	switch {
	case rank == noMerge:
		return None, None
	case rank >= p.size:
		return child, None
	}
	return child, int32(rank)
}

// find returns the id of the piece, or None. It reads no further than pieces
// go.
func (p *pieces) find(text string) int32 {
	node, id := int32(root), int32(None)
	for i := range len(text) {
		if node, id = p.follow(node, text[i]); node == None {
			return None
		}
	}
	return id
}

// appendPieces writes the trie of the pieces, of less than so many nodes.
func appendPieces(dst []byte, list []Piece, nodes int) ([]byte, error) {
	var edges []slot
	places := map[uint64]int{} // of edges, by pair
	for _, p := range list {
		node := uint32(root)
		for i := range len(p.Text) {
			pair := pairOf(int32(node), int32(p.Text[i]))
			at, ok := places[pair]
			if !ok {
				at = len(edges)
				if at+1 >= nodes {
					return nil, fmt.Errorf("pieces: more than %d beginnings", nodes)
				}
				places[pair] = at
				edges = append(edges, slot{pair, noPiece, uint32(at + 1)})
			}
			node = edges[at].result
			if i+1 == len(p.Text) {
				edges[at].rank = uint32(p.ID)
			}
		}
	}
	dst, err := appendPairs(dst, edges)
	if err != nil {
		return nil, fmt.Errorf("pieces: %w", err)
	}
	return dst, nil
}
