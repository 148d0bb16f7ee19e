package serve

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/enginetest"
)

const childEnv = "SERVE_TEST_CHILD"

// TestMain makes this test's executable the program that it tests.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(app.Main(enginetest.Compiled(vocab), Command))
	}
	os.Exit(m.Run())
}

// TestSecondInterrupt ends a server at once that waits for a text without end.
func TestSecondInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no interrupts between processes")
	}
	path := enginetest.NewCarrier(vocab).Program(t)
	for _, first := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(fmt.Sprint(first), func(t *testing.T) {
			cmd := exec.Command(path, "serve", "--addr", "127.0.0.1:0", "--max-tokens", "1000000000", "--grace", "1h", "--no-library", "--log", "json")
			cmd.Env = append(os.Environ(), childEnv+"=1", keyVariable+"=")
			log, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Skip(err)
			}
			defer cmd.Process.Kill()
			lines := bufio.NewScanner(log)
			address, ok := strings.CutPrefix(line(lines, "listening on "), "listening on ")
			if !ok {
				t.Fatal("it does not listen")
			}
			body := `{"prompt":"ab","ignore_eos":true,"max_tokens":1000000000,"stream":true}`
			answer, err := http.Post(address+"/v1/completions", "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if _, err := io.ReadFull(answer.Body, make([]byte, 5)); err != nil {
				t.Fatal(err)
			}
			for i, signal := range []os.Signal{first, os.Interrupt} {
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				if i == 0 && line(lines, "shutting down") == "" {
					t.Fatal("it does not shut down")
				}
			}
			rest := line(lines, "requests were ended")
			if err := cmd.Wait(); rest != "" || cmd.ProcessState.Exited() {
				t.Errorf("it has ended by itself: %v, %s", err, rest)
			}
		})
	}
}

// line is the first line from here on that has a text in it, "" for none.
func line(lines *bufio.Scanner, text string) string {
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return lines.Text()
		}
	}
	return ""
}
