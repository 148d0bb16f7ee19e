package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite expected output")

func TestMain(m *testing.M) {
	testscript.Main(sharing{m}, map[string]func(){"mambac": main})
}

// TestScript runs every script of testdata/script in an empty folder, with
// mambac as a subprocess. Scripts find goldens below $GOLDEN.
func TestScript(t *testing.T) {
	golden, err := filepath.Abs(filepath.Join("..", "..", "importer", "testdata", "golden"))
	if err != nil {
		t.Fatal(err)
	}
	cache, only := goCache(t), onlyMambac(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Cmds:                scriptCommands,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GOLDEN", golden)
			e.Setenv("GOCACHE", cache)
			e.Setenv("MAMBAC_ONLY", only)
			return nil
		},
	})
}

// onlyMambac is a PATH on which nothing but mambac is found.
func onlyMambac(t *testing.T) string {
	t.Helper()
	self, err := exec.LookPath("mambac") // as testscript.Main has put it there
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(self)
}

// goCache is the build cache of the user: scripts have another home, and a
// cold cache for each of them would cost minutes.
func goCache(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("GOCACHE"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "go-build")
}

// scriptCommands are the words that scripts have besides testscript's own.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"await":  scriptAwait,
	"cut":    scriptCut,
	"empty":  scriptEmpty,
	"lines":  scriptLines,
	"status": scriptStatus,
}

// scriptStatus runs a program and demands its exit status: status N PROGRAM
// [ARG…].
func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	status := 0
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if args[0] != strconv.Itoa(status) {
		ts.Fatalf("exit status %d, want %s", status, args[0])
	}
}

// scriptAwait returns when a file appears whose path matches: await PATTERN.
func scriptAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await PATTERN")
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		if found, err := filepath.Glob(ts.MkAbs(args[0])); err != nil || len(found) > 0 {
			ts.Check(err)
			return
		}
	}
	ts.Fatalf("%s does not appear", args[0])
}

// scriptEmpty demands that a folder holds nothing but the entries named, and
// the one for temporary files nothing at all: empty FOLDER [NAME…].
func scriptEmpty(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: empty FOLDER [NAME...]")
	}
	for folder, known := range map[string][]string{args[0]: append(args[1:], ".tmp"), "$WORK/.tmp": nil} {
		entries, err := os.ReadDir(ts.MkAbs(os.Expand(folder, ts.Getenv)))
		ts.Check(err)
		for _, e := range entries {
			if !slices.Contains(known, e.Name()) {
				ts.Fatalf("%s holds %s", folder, e.Name())
			}
		}
	}
}

// scriptCut shortens a file by some bytes: cut FILE N.
func scriptCut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FILE N")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	st, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), st.Size()-n))
}

// scriptLines demands a number of lines: lines stdout|stderr|FILE N.
func scriptLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines stdout|stderr|FILE N")
	}
	if n := strings.Count(ts.ReadFile(args[0]), "\n"); args[1] != strconv.Itoa(n) {
		ts.Fatalf("%s has %d lines, want %s", args[0], n, args[1])
	}
}
