package generated_test

import (
	"testing"

	"github.com/mambac/mambac/generated/tiny"
	"github.com/mambac/mambac/runtime/modeltest"
)

// TestUse is what a server does to a generated package.
func TestUse(t *testing.T) { modeltest.Storm(t, tiny.Open, 16, 100) }
