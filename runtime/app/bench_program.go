package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"
)

const (
	benchPrompt = 8 // tokens, of the first-token time
	benchTries  = 5
)

// launcher runs the program itself with arguments: how long its first byte of
// output took, and its largest resident memory in bytes, 0 where the system
// does not tell.
type launcher func(ctx context.Context, args []string) (first time.Duration, resident int64, err error)

// errCannotLaunch is given where there are no other processes.
var errCannotLaunch = errors.New("the program cannot start itself here")

// benchProgram fills in what a user of run sees: the median of the tries
// after one that warms the page cache.
func (s *Session) benchProgram(m *Artifact, r *benchReport) error {
	launch := s.launch
	if launch == nil {
		launch = launchFile(m.File.Program())
	}
	ids := fmt.Sprint(benchIDs(benchPrompt, m.compiled.Shape.Vocab))
	args := []string{"run", "--ids", strings.ReplaceAll(strings.Trim(ids, "[]"), " ", ","), "-n", "16", "--print", "ids", "--ignore-eos"}
	var times []time.Duration
	var largest int64
	for try := range benchTries + 1 {
		first, resident, err := launch(s.Context, args)
		if errors.Is(err, errCannotLaunch) {
			return nil
		}
		if err != nil {
			return err
		}
		if largest = max(largest, resident); try > 0 {
			times = append(times, first)
		}
	}
	slices.Sort(times)
	median := milliseconds(times[len(times)/2])
	r.FirstTokenMS = &median
	if largest > 0 {
		r.RSSBytes = &largest
	}
	return nil
}

func launchFile(path string) launcher {
	return func(ctx context.Context, args []string) (first time.Duration, resident int64, err error) {
		if path == "" {
			return 0, 0, errCannotLaunch
		}
		cmd := exec.CommandContext(ctx, path, args...)
		var complaint strings.Builder
		cmd.Stderr = &complaint
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			return 0, 0, errCannotLaunch
		}
		start := time.Now()
		if err := cmd.Start(); err != nil {
			return 0, 0, errCannotLaunch
		}
		out := bufio.NewReader(pipe)
		_, err = out.ReadByte()
		first = time.Since(start)
		if err == nil {
			_, err = io.Copy(io.Discard, out)
		}
		if wait := cmd.Wait(); wait != nil {
			err = fmt.Errorf("%s: %w: %s", path, wait, strings.TrimSpace(complaint.String()))
		}
		return first, residentBytes(cmd.ProcessState), err
	}
}
