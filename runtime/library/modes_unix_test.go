//go:build unix

package library

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestModes: all is its owner's alone, and what is not is refused with the remedy.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	l := open(t)
	put(t, l, "a", 1)
	for path, want := range map[string]os.FileMode{l.folder: 0o700, l.Path("a"): 0o600} {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v (error %v)", path, st.Mode().Perm(), want, err)
		}
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o601} {
		if err := os.Chmod(l.Path("a"), mode); err != nil {
			t.Fatal(err)
		}
		_, _, get := l.Get("a")
		for what, err := range map[string]error{"get": get, "verify": l.Verify("a"), "fork": l.Fork("a", "b")} {
			if err == nil || !strings.Contains(err.Error(), "chmod 600 "+l.Path("a")) {
				t.Errorf("mode %v: %s: error %v", mode, what, err)
			}
		}
	}
	for _, mode := range []os.FileMode{0o750, 0o705, 0o777} {
		if err := os.Chmod(l.folder, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(l.folder); err == nil || !strings.Contains(err.Error(), "chmod 700 "+l.folder) {
			t.Errorf("mode %v: error %v", mode, err)
		}
	}
}

// TestStrangers: links, folders, pipes and other names are no states, are listed
// apart, and nothing follows them.
func TestStrangers(t *testing.T) {
	l, other := open(t), open(t)
	put(t, l, "a", 1)
	put(t, other, "secret", 1)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Symlink(other.Path("secret"), l.Path("link")))
	must(os.Symlink(filepath.Join(l.folder, "nowhere"), l.Path("dangling")))
	must(os.Mkdir(l.Path("folder"), 0o700))
	must(syscall.Mkfifo(l.Path("pipe"), 0o600))
	must(os.WriteFile(filepath.Join(l.folder, "UPPER"+extension), nil, 0o600))
	must(os.WriteFile(filepath.Join(l.folder, ".hidden"+extension), nil, 0o600))
	must(os.WriteFile(filepath.Join(l.folder, "notes"), nil, 0o600))
	names, err := l.Names()
	must(err)
	strangers, err := l.Strangers()
	must(err)
	if strings.Join(names, " ") != "a" || len(strangers) != 7 {
		t.Errorf("names %q, strangers %q", names, strangers)
	}
	for _, name := range []string{"link", "dangling", "folder", "pipe"} {
		_, _, get := l.Get(name)
		for what, err := range map[string]error{
			"get": get, "verify": l.Verify(name), "fork": l.Fork(name, "new"), "delete": l.Delete(name),
			"put": l.Put(name, Entry{}, writer(header(9, 1))), "fork to": l.Fork("a", name),
		} {
			if err == nil {
				t.Errorf("%s of %s: no error", what, name)
			}
		}
	}
	if err := other.Verify("secret"); err != nil {
		t.Error(err)
	}
	if _, e, err := other.Get("secret"); err != nil || e.Tokens != 1 {
		t.Errorf("what a link led to is %+v, error %v", e, err)
	}
	requireNames(t, l, ".hidden", "UPPER", "a", "dangling", "folder", "link", "notes", "pipe")
}
