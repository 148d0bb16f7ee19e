package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// chatTemplate is one that asks the model to go on.
const chatTemplate = "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}"

// talkative makes the bundled checkpoint one that has a chat template.
func talkative(t *testing.T) (folder string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "talkative")
	if err := os.CopyFS(folder, os.DirFS(bundled)); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(folder, "tokenizer_config.json")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	config := map[string]any{}
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	config["chat_template"] = chatTemplate
	if text, err = json.Marshal(config); err == nil {
		err = os.WriteFile(name, text, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// served is mambac serve at work.
type served struct {
	cmd     *exec.Cmd
	address string
	program string      // in the cache
	log     chan string // all of it, at the end
}

// serve starts mambac serve of a checkpoint, with a cache of its own, which
// becomes the program.
func serve(t *testing.T, checkpoint string, args ...string) *served {
	t.Helper()
	cache := t.TempDir()
	s := &served{log: make(chan string, 1)}
	s.cmd = exec.Command("mambac", append([]string{"serve", checkpoint, "-q", "--"}, args...)...)
	s.cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache, "XDG_DATA_HOME="+cache, "GOCACHE="+goCache(t), "MAMBAC_API_KEY=secret")
	out, err := s.cmd.StderrPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	var ok bool
	if s.address, ok = strings.CutPrefix(strings.TrimSpace(first), "listening on "); !ok {
		t.Fatalf("it says %q, %v", first, err)
	}
	go func() {
		rest, _ := io.ReadAll(lines)
		s.log <- string(rest)
	}()
	programs, err := filepath.Glob(filepath.Join(cache, "mambac", "programs", "*"))
	if err != nil || len(programs) != 1 {
		t.Fatalf("the cache holds %v, %v", programs, err)
	}
	s.program = programs[0]
	return s
}

// post asks for texts.
func (s *served) post(ctx context.Context, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, "POST", s.address+"/v1/completions", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer secret")
	return http.DefaultClient.Do(r)
}

// complete gives what follows a prompt, greedily.
func (s *served) complete(ctx context.Context, prompt string, n int) (string, error) {
	answer, err := s.post(ctx, fmt.Sprintf(`{"prompt":%q,"max_tokens":%d,"temperature":0,"ignore_eos":true}`, prompt, n))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var r struct{ Choices []struct{ Text string } }
	if err := json.NewDecoder(answer.Body).Decode(&r); err != nil || len(r.Choices) != 1 {
		return "", fmt.Errorf("status %d, %v", answer.StatusCode, err)
	}
	return r.Choices[0].Text, nil
}

// end stops the server with a signal and tells what it has logged.
func (s *served) end(t *testing.T) (log string) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	log = <-s.log
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	return log
}

// alone is what the program's command run gives for a prompt.
func (s *served) alone(t *testing.T, prompt string, n int) string {
	t.Helper()
	return succeed(t, exec.Command(s.program, "run", prompt, "-n", fmt.Sprint(n), "--temperature", "0", "--ignore-eos"))
}

// TestServe has a server answer many at once as the program does one by one, and
// end in an orderly way: what runs is finished.
func TestServe(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a program")
	}
	s := serve(t, talkative(t), "--addr", "127.0.0.1:0")
	var group sync.WaitGroup
	for n := range 24 {
		group.Go(func() {
			ctx := t.Context()
			prompt := strings.Repeat("// A comment.\n", n) + "func f" + fmt.Sprint(n)
			if n%5 == 4 { // leaves
				short, cancel := context.WithTimeout(ctx, time.Duration(n)*time.Millisecond)
				defer cancel()
				_, _ = s.complete(short, prompt, 1000)
				return
			}
			got, err := s.complete(ctx, prompt, 20+n)
			if want := s.alone(t, prompt, 20+n); err != nil || got != want {
				t.Errorf("%d: %q, %v; alone %q", n, got, err, want)
			}
		})
	}
	group.Wait()
	answer, err := s.post(t.Context(), `{"prompt":"a","max_tokens":500,"ignore_eos":true,"stream":true}`)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	stream := bufio.NewReader(answer.Body)
	first, err := stream.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	log := s.end(t)
	rest, err := io.ReadAll(stream)
	if err != nil || !bytes.HasSuffix(rest, []byte("data: [DONE]\n\n")) || strings.Count(first+string(rest), "data: ") < 100 {
		t.Errorf("a stream that ran ends with %q, %v", rest[max(0, len(rest)-200):], err)
	}
	if !strings.Contains(log, "shutting down") || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log says %s", log)
	}
}

// TestServeKey: what a program depends on gives it another place in the cache.
func TestServeKey(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "config.json")
	if err := os.WriteFile(file, []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	key := func(path, flags string) string {
		t.Helper()
		k, err := new(buildFlags).key(path, flags)
		if err != nil {
			t.Fatal(err)
		}
		seen[k] = true
		return k
	}
	key(folder, "")
	key(folder, "")
	key(folder, "--weights=int8\n")
	if err := os.Chtimes(file, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	key(folder, "")
	if len(seen) != 3 {
		t.Errorf("%d keys, want 3", len(seen))
	}
	if _, err := new(buildFlags).key(filepath.Join(folder, "absent"), ""); err == nil {
		t.Error("what is absent has a key")
	}
}
