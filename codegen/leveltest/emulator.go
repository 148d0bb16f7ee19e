package leveltest

import (
	"os"
	"os/exec"
	"testing"

	"github.com/mambac/mambac/codegen/target"
)

// emulators run programs of a GOARCH, the first that is there.
var emulators = map[string][]string{"arm64": {"qemu-aarch64-static", "qemu-aarch64"}}

// Emulator is the program that runs those of a back end's architecture here;
// without one the test is skipped, unless MAMBAC_REQUIRE_LEVEL names the level.
func Emulator(t *testing.T, b target.Backend) string {
	t.Helper()
	names := emulators[b.Level().GOARCH]
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if level := b.Level().Name; os.Getenv("MAMBAC_REQUIRE_LEVEL") == level {
		t.Fatalf("level %s is required and there is none of %q", level, names)
	}
	t.Skipf("none of %q: kernels are interpreted, assembled and vetted, and not executed (Debian has it in qemu-user-static)", names)
	return ""
}
