package lower

import (
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
)

// TestSpread: rows are whole panels, never narrower than asked for, little
// wider, and the blocks of columns of two neighbours never meet in a cache way.
func TestSpread(t *testing.T) {
	for width := kernel.PanelRows; width < 40000; width += kernel.PanelRows {
		stride := spread(width)
		if stride%kernel.PanelRows != 0 || stride < width || stride > width+wayFloats/2 {
			t.Fatalf("rows of %d are %d apart", width, stride)
		}
		if width < wayFloats/2 {
			continue
		}
		if apart := stride % wayFloats; apart < apartFloats || apart > wayFloats-apartFloats {
			t.Fatalf("rows of %d are %d apart, %d in a way of %d", width, stride, apart, wayFloats)
		}
	}
}
