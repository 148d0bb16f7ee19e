package target

import (
	"fmt"

	"github.com/mambac/mambac/codegen/kernel"
)

// Tile is a form that a back end can give the kernel of a matrix product. It
// changes when a product is computed, and never a bit of it.
type Tile struct {
	Tokens, Rows int // outputs that are held in registers together
	Block        int // columns that all tokens use before the next are looked at
}

// String is tokens × rows, then the block: 4x24k128.
func (t Tile) String() string { return fmt.Sprintf("%dx%dk%d", t.Tokens, t.Rows, t.Block) }

// MarshalText implements encoding.TextMarshaler.
func (t Tile) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Tile) UnmarshalText(text []byte) error {
	var read Tile
	if n, _ := fmt.Sscanf(string(text), "%dx%dk%d", &read.Tokens, &read.Rows, &read.Block); n != 3 || read.String() != string(text) {
		return fmt.Errorf("tile %q: want one like 4x24k128", text)
	}
	*t = read
	return nil
}

// Tiling is the tiles of a program's kernels. One that is not in it has the
// first of those that its back end lists.
type Tiling map[kernel.Spec]Tile
