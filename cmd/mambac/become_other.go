//go:build !unix

package main

import (
	"errors"
	"os"
	"os/exec"
)

// become has another program use our streams, and ends as it does: an interrupt
// reaches both.
func become(path string, args []string) error {
	cmd := exec.Command(path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	return err
}
