//go:build client

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOfficialClient has OpenAI's own client for Go, unchanged, ask a server. It is
// a module of its own in testdata, as it takes longer to compile than all of mambac.
func TestOfficialClient(t *testing.T) {
	client := filepath.Join(t.TempDir(), executableName("client"))
	build := exec.Command("go", "build", "-gcflags=github.com/openai/openai-go/v3/...=-N -l", "-o", client, ".")
	build.Dir, build.Env = filepath.Join("testdata", "openai"), append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GOTOOLCHAIN=local", "CGO_ENABLED=0") // modules come from where all others do
	succeed(t, build)
	s := serve(t, talkative(t), "--addr", "127.0.0.1:0")
	got := succeed(t, exec.Command(client, s.address))
	const prompt = "func main() {\n"
	text := s.alone(t, prompt, 24)
	line, _, _ := strings.Cut(text, "\n")
	want := fmt.Sprintf(`model talkative
completion 0 %[1]q length
completion 1 %[1]q length
usage 48 48
stream %[1]q length 24
scored %[2]q stop true true
chat assistant %[1]q length 24 2
chat stream assistant %[1]q length
failure 404 invalid_request_error model_not_found the model "gpt-4" does not exist; this server has "talkative"
failure 400 invalid_request_error  temperature is -1, want 0 (greedy) to 1000
failure 401 authentication_error invalid_api_key
%[3]s
`, text, line, s.alone(t, prompt, 16))
	if got != want {
		t.Errorf("the client is told\n%s\nwant\n%s", got, want)
	}
	s.end(t)
}
