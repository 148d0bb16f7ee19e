package ladder

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain has the collector wait longer: what avo allocates for kernels, and tests
// keep, it would look through a quarter of the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
