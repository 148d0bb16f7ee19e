//go:build figures && linux

package main

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// attempts bounds how often a measurement is repeated that others disturbed.
const attempts = 5

// cost is what a command took.
type cost struct {
	wall, cpu float64 // seconds; with all that it started
	others    float64 // processors that other processes kept busy meanwhile
}

// spent runs a command that must succeed, with a build cache of its own or
// the user's ("").
func spent(t *testing.T, cmd *exec.Cmd, cache string) cost {
	t.Helper()
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	if cache != "" {
		cmd.Env = append(cmd.Env, "GOCACHE="+cache)
	}
	before, start := othersSeconds(), time.Now()
	succeed(t, cmd)
	c := cost{wall: time.Since(start).Seconds()}
	c.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	c.others = max(0, othersSeconds()-before) / c.wall
	return c
}
