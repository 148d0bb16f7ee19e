package app

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/enginetest"
)

const childEnv = "APP_TEST_CHILD"

// TestMain makes this test's executable the program that it tests.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(Main(enginetest.Compiled(vocab)))
	}
	os.Exit(m.Run())
}

func start(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer, io.ReadCloser) {
	t.Helper()
	cmd := exec.Command(newCarrier(t).Program(t), args...)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	complaint := new(bytes.Buffer)
	cmd.Stderr = complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	return cmd, complaint, out
}

func TestProcess(t *testing.T) {
	cmd, complaint, out := start(t, "run", "ab", "-n", "3")
	text, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || string(text) != "cde" || complaint.Len() != 0 {
		t.Errorf("printed %q, error %v: %s", text, err, complaint)
	}
}

// TestProcessInterrupt stops a text without end after its first bytes.
func TestProcessInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no interrupts between processes")
	}
	cmd, complaint, out := start(t, "run", "ab", "-n", "-1", "--ignore-eos", "--print", "ids")
	r := bufio.NewReader(out)
	if _, err := r.ReadString(' '); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != exitInterrupt || complaint.Len() != 0 {
		t.Errorf("exit status %d, error %q", status, complaint)
	}
	if !strings.HasSuffix(string(rest), "\n") {
		t.Error("the text does not end with a newline")
	}
}

// TestProcessInterruptReading interrupts a program that waits for its prompt.
func TestProcessInterruptReading(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no interrupts between processes")
	}
	cmd := exec.Command(newCarrier(t).Program(t), "ppl", "-")
	cmd.Env = append(os.Environ(), childEnv+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	// A full pipe that has been emptied shows that the program reads.
	if _, err := in.Write(bytes.Repeat([]byte("a"), 1<<18)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != exitInterrupt {
		t.Errorf("exit status %d", status)
	}
}

// TestProcessBrokenPipe has the reader leave: no message, and an end.
func TestProcessBrokenPipe(t *testing.T) {
	cmd, complaint, out := start(t, "run", "ab", "-n", "-1", "--ignore-eos")
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	out.Close()
	if err := cmd.Wait(); err == nil || complaint.Len() != 0 {
		t.Errorf("error %v, message %q", err, complaint)
	}
}
