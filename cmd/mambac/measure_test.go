//go:build (figures || peers || serving) && linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mambac/mambac/runtime/cpu"
)

// quietest runs a measurement until others leave the machine alone, but not
// for ever, and returns how many processors they kept busy in the last run.
func quietest(attempts int, measure func()) (others float64) {
	for range attempts {
		before, start := othersSeconds(), time.Now()
		measure()
		others = max(0, othersSeconds()-before) / time.Since(start).Seconds()
		if others < disturbed {
			break
		}
	}
	return others
}

// othersSeconds is the time that processes took which were not started here.
func othersSeconds() float64 {
	seconds, ok := cpu.OthersSeconds()
	if !ok {
		panic("/proc does not tell how busy this machine is")
	}
	return seconds
}

// untilOutput is the time in milliseconds from exec to the first byte.
func untilOutput(t *testing.T, cmd *exec.Cmd) float64 {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	ms := time.Since(start).Seconds() * 1e3
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return ms
}

// watched runs a command and returns the greatest value, in bytes, that a line
// of its /proc/PID/status had. The maximum that wait reports would count the
// memory of this process, whose copy the child begins as.
func watched(t *testing.T, cmd *exec.Cmd, line string) int64 {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for peak := int64(0); ; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("%s: %v", strings.Join(cmd.Args, " "), err)
			}
			return peak
		case <-tick.C:
			peak = max(peak, statusBytes(cmd.Process.Pid, line))
		}
	}
}

// statusBytes is a line of /proc/PID/status, 0 once the process has ended.
func statusBytes(pid int, name string) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				panic(err)
			}
			return kib << 10
		}
	}
	return 0
}
