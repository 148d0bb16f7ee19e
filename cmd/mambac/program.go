package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/safetensors"
)

// executableName is what this system calls a program.
func executableName(name string) string { return systemOf(platform()).executable(name) }

// program is a built program that the ladder asks as a user would.
type program struct {
	path   string
	folder string // for its output
	level  string
}

// observe asks for the logits of ids and for n greedy tokens behind them.
func (p *program) observe(ctx context.Context, ids []int, n int, by string) (*expectation, error) {
	x := &expectation{ids: ids}
	out := filepath.Join(p.folder, "logits.safetensors")
	if err := p.logits(ctx, ids, by, out); err != nil {
		return nil, err
	}
	err := readTensors(out, func(f *safetensors.File) error {
		t, _ := f.Tensor("logits")
		var err error
		x.logits, err = f.Floats(t)
		return err
	})
	if err != nil || n == 0 {
		return x, err
	}
	x.greedy, err = p.greedy(ctx, ids, n)
	return x, err
}

// logits asks for the logits behind each of some ids, in a file.
func (p *program) logits(ctx context.Context, ids []int, by, file string) error {
	_, err := p.run(ctx, "logits", "--ids", joinInts(ids), "-o", file, "--by", by)
	return err
}

// greedy asks for n ids behind a prompt.
func (p *program) greedy(ctx context.Context, prompt []int, n int) ([]int, error) {
	text, err := p.run(ctx, "run", "--ids", joinInts(prompt), "-n", strconv.Itoa(n), "--print", "ids", "--temperature", "0", "--ignore-eos")
	if err != nil {
		return nil, err
	}
	var ids []int
	for _, field := range strings.Fields(text) {
		id, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("%s: printed %q, want ids", p.path, field)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// run calls the program at the level; an error holds what it said.
func (p *program) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = append(os.Environ(), engine.LevelEnv+"="+p.level)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	stopGently(cmd)
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("%s %s at level %s: %w: %s", filepath.Base(p.path), args[0], p.level, err, strings.TrimPrefix(strings.TrimSpace(stderr.String()), "error: "))
	}
	return stdout.String(), nil
}

// stopGently sends an interrupt when the context ends, and kills what has not
// ended soon after.
func stopGently(cmd *exec.Cmd) {
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			return cmd.Process.Kill()
		}
		return nil
	}
	cmd.WaitDelay = 5 * time.Second
}

func joinInts(ids []int) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(id))
	}
	return b.String()
}
