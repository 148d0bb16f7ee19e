package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/mambac/mambac/runtime/engine"
)

// wasm runs one program for wasip1, which sees its folder as the root.
type wasm struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
	path    string
}

func openWasm(t *testing.T, path string) *wasm {
	t.Helper()
	ctx := context.Background()
	w := &wasm{runtime: wazero.NewRuntime(ctx), path: path}
	t.Cleanup(func() { w.runtime.Close(ctx) })
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, w.runtime); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.module, err = w.runtime.CompileModule(ctx, read(t, path)); err != nil {
		t.Fatal(err)
	}
	return w
}

// run calls the program; an error holds its exit status and what it said.
func (w *wasm) run(level string, args ...string) (string, error) {
	var stdout, stderr strings.Builder
	config := wazero.NewModuleConfig().WithName("").
		WithArgs(append([]string{filepath.Base(w.path)}, args...)...).
		WithEnv(engine.LevelEnv, level).WithStdout(&stdout).WithStderr(&stderr).
		WithFSConfig(wazero.NewFSConfig().WithDirMount(filepath.Dir(w.path), "/")).
		WithRandSource(rand.Reader).WithSysWalltime().WithSysNanotime()
	ctx := context.Background()
	m, err := w.runtime.InstantiateModule(ctx, w.module, config)
	if m != nil {
		m.Close(ctx)
	}
	var exit *sys.ExitError
	if err == nil || errors.As(err, &exit) && exit.ExitCode() == 0 {
		return stdout.String(), nil
	}
	return "", fmt.Errorf("%w: %s", err, stderr.String())
}

// TestWasm: a module finds the payload beside it, and has the greedy ids and
// the logits of this machine's generic level with any number of workers.
func TestWasm(t *testing.T) {
	b := buildFor(t, "wasip1/wasm", example)
	checkFormat(t, "wasip1/wasm", b)
	w, native := openWasm(t, b.Path), buildOnce(t, example, "--cpu", "generic")
	ids := []int{5, 3, 9}
	for _, threads := range []string{"0", "1", "3"} {
		got, err := w.run("", "run", "--ids", joinInts(ids), "-n", "12", "--print", "ids", "--ignore-eos", "--threads", threads)
		if want := native.greedy(t, "", 12, "--ids", joinInts(ids)); err != nil || got != want+"\n" {
			t.Errorf("%s threads: continues %q, %v, want %q", threads, got, err, want)
		}
	}
	if _, err := w.run("", "logits", "--ids", joinInts(ids), "-o", "/logits"); err != nil {
		t.Error(err)
	} else if got := read(t, filepath.Join(filepath.Dir(b.Path), "logits")); string(got) != string(native.logits(t, "", 1, "prefill", ids)) {
		t.Error("other logits than here")
	}
	if out, err := w.run("", "info", "--check"); err != nil || !strings.Contains(out, "checked, unaltered") {
		t.Errorf("info --check prints %q, %v", out, err)
	}
	if err := os.Remove(b.Payload); err != nil {
		t.Fatal(err)
	}
	if _, err := w.run("", "info"); err == nil || !strings.Contains(err.Error(), "error: model.payload: ") || !strings.Contains(err.Error(), "--dir=.") {
		t.Errorf("without its payload: %v", err)
	}
}
