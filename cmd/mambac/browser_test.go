//go:build page

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// picturesEnv names a folder for pictures of the page; none are kept without.
const picturesEnv = "MAMBAC_PICTURES"

// chromium finds a browser.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("there is no Chromium (Debian's package chromium), to look at the page with")
	return ""
}

// TestPageInBrowser uses the page of a server in a real browser: runs, stops, saves
// a state and comes back to it, and looks at what the model remembers. The browser
// is driven by a module of its own in testdata, as mambac needs none of that.
func TestPageInBrowser(t *testing.T) {
	browser := chromium(t)
	visitor := filepath.Join(t.TempDir(), executableName("visitor"))
	build := exec.Command("go", "build", "-o", visitor, ".")
	build.Dir, build.Env = filepath.Join("testdata", "browser"), append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GOTOOLCHAIN=local", "CGO_ENABLED=0")
	succeed(t, build)
	s := serve(t, talkative(t), "--addr", "127.0.0.1:0", "--library", filepath.Join(t.TempDir(), "states"))
	args := []string{s.address, browser}
	if folder := os.Getenv(picturesEnv); folder != "" {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		args = append(args, folder)
	}
	got := succeed(t, exec.Command(visitor, args...))
	const prompt = "func main() {\n"
	first := s.alone(t, prompt, 24)
	want := fmt.Sprintf(`door "asks for a key"
model "talkative"
written %[1]q
stopped "true"
keys "anew true true"
continued %[2]q
tree "true"
hostile "0 talkative"
chat %[1]q
heated %[3]q
cells "true"
light "true"
dark "true"
phone "true"
phone-dark "true"
`, first, s.alone(t, prompt+first, 24), "package main\n\nimport \"fmt\"\n\n// main greets <b>all</b>.\nfunc main() {\n\tfor i := range 10 {\n\t\tfmt.Println(\"hello\", i)\n\t}\n}\n")
	if got != want {
		t.Errorf("the browser shows\n%s\nwant\n%s", got, want)
	}
	s.end(t)
}
