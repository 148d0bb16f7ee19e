package payload

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

const childEnv = "PAYLOAD_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	os.Exit(m.Run())
}

// child is a program that carries a payload: it prints its name.
func child() int {
	p, err := OpenSelf()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(p.Metadata().Name)
	return 0
}

// program copies this test's executable and appends a payload.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	in, err := os.Open(self)
	if err != nil {
		t.Skip(err)
	}
	defer in.Close()
	path := filepath.Join(t.TempDir(), "model")
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	size, err := io.Copy(out, in)
	if err != nil {
		t.Fatal(err)
	}
	w := NewWriter(out, size)
	text, _ := sample.Encode()
	add(t, w, MetadataSection, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func runChild(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Env = append(cmd.Env, childEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != sample.Name {
		t.Errorf("%v: %s", err, out)
	}
}

func TestSelf(t *testing.T) {
	path := program(t)
	runChild(t, exec.Command(path))
	relative := exec.Command("./model")
	relative.Dir = filepath.Dir(path)
	runChild(t, relative)
	misnamed := exec.Command(path)
	misnamed.Args[0] = "something-else"
	runChild(t, misnamed)
}

func TestExecPath(t *testing.T) {
	path := execPath()
	if path == "" {
		t.Skip("this kernel or system does not tell")
	}
	if _, err := os.Stat(path); err != nil && runtime.GOOS == "linux" && filepath.IsAbs(path) {
		t.Error(err)
	}
}

func TestArgumentPaths(t *testing.T) {
	sep := string(os.PathSeparator)
	search := "a" + string(os.PathListSeparator) + "b"
	for name, want := range map[string][]string{
		"model":             {filepath.Join("a", "model"), filepath.Join("b", "model"), "model"},
		"." + sep + "model": {"." + sep + "model"},
	} {
		if got := argumentPaths(name, search); !reflect.DeepEqual(got, want) {
			t.Errorf("argumentPaths(%q) = %q, want %q", name, got, want)
		}
	}
}
