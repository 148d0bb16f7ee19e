package library

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mambac/mambac/runtime/state"
)

// day is when all states of tests are made.
var day = time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)

func open(t testing.TB) *Library {
	t.Helper()
	l, err := Open(filepath.Join(t.TempDir(), "states"))
	if err != nil {
		t.Fatal(err)
	}
	l.Now = func() time.Time { return day }
	return l
}

// header is a state that has read n tokens, with values that follow from that.
func header(n, values int) *state.Header {
	h := &state.Header{
		Model: "m", Weights: "f32", Math: "exact", Position: n, Text: strings.Repeat("00", 32), Label: "label",
		Tensors: []state.Tensor{{Name: "x", Shape: []int{values}, Values: make([]float32, values)}},
	}
	for i := range h.Tensors[0].Values {
		h.Tensors[0].Values[i] = float32(n + i)
	}
	return h
}

func writer(h *state.Header) func(io.Writer) error {
	return func(w io.Writer) error { return state.Write(w, h) }
}

func put(t testing.TB, l *Library, name string, n int) {
	t.Helper()
	if err := l.Put(name, Entry{Source: "book"}, writer(header(n, 10))); err != nil {
		t.Fatal(err)
	}
}

// content is a state's file.
func content(t testing.TB, l *Library, name string) []byte {
	t.Helper()
	f, _, err := l.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// requireNames demands what the folder holds, unfinished files too.
func requireNames(t testing.TB, l *Library, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(l.folder)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, strings.TrimSuffix(e.Name(), extension))
	}
	if !slices.Equal(have, want) {
		t.Errorf("the folder holds %q, want %q", have, want)
	}
}

func TestPutGet(t *testing.T) {
	l := open(t)
	put(t, l, "a", 1)
	put(t, l, "b", 2)
	put(t, l, "a", 3)
	list, err := l.List()
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{Name: "a", Label: "label", Source: "book", Tokens: 3, Bytes: int64(len(content(t, l, "a"))), Created: day.Truncate(time.Second), Model: "m"},
		{Name: "b", Label: "label", Source: "book", Tokens: 2, Bytes: int64(len(content(t, l, "b"))), Created: day.Truncate(time.Second), Model: "m"},
	}
	if !slices.Equal(list, want) {
		t.Errorf("list %+v, want %+v", list, want)
	}
	requireNames(t, l, "a", "b")
	for _, name := range []string{"a", "b"} {
		if err := l.Verify(name); err != nil {
			t.Error(err)
		}
	}
	in, err := state.NewReader(bytes.NewReader(content(t, l, "a")))
	if err != nil {
		t.Fatal(err)
	}
	values := []state.Tensor{{Name: "x", Shape: []int{10}}}
	if err := in.ReadValues(values); err != nil || !slices.Equal(values[0].Values, header(3, 10).Tensors[0].Values) {
		t.Errorf("values %v, error %v", values, err)
	}
}

// TestUsage counts what the files take, and looks into none: a damaged one counts.
func TestUsage(t *testing.T) {
	l := open(t)
	require := func(but string, want Usage) {
		t.Helper()
		if u, err := l.Usage(but); u != want || err != nil {
			t.Errorf("without %q there is %+v, %v, want %+v", but, u, err, want)
		}
	}
	require("", Usage{})
	put(t, l, "a", 1)
	put(t, l, "b", 1)
	if err := os.WriteFile(l.Path("damaged"), make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.folder, "stranger"), make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	one := int64(len(content(t, l, "a")))
	require("", Usage{3, 2*one + 1000})
	require("a", Usage{2, one + 1000})
	require("c", Usage{3, 2*one + 1000})
	if err := l.Delete("damaged"); err != nil {
		t.Fatal(err)
	}
	require("a", Usage{1, one})
}

func TestForkDelete(t *testing.T) {
	l := open(t)
	put(t, l, "a", 1)
	if err := l.Fork("a", "b"); err != nil {
		t.Fatal(err)
	}
	put(t, l, "a", 2)
	f, e, err := l.Get("b")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if e.Parent != "a" || e.Tokens != 1 || e.Label != "label" || e.Source != "book" {
		t.Errorf("fork %+v", e)
	}
	if err := l.Fork("a", "b"); !errors.Is(err, ErrExists) {
		t.Errorf("a fork over another state: error %v", err)
	}
	for range 2 {
		err = l.Delete("a")
	}
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("a state is deleted twice: error %v", err)
	}
	requireNames(t, l, "b")
	for what, err := range map[string]error{"fork": l.Fork("a", "c"), "verify": l.Verify("a")} {
		if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "a: ") {
			t.Errorf("%s of none: error %v", what, err)
		}
	}
	if _, _, err := l.Get("a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("get of none: error %v", err)
	}
}

func TestNames(t *testing.T) {
	l := open(t)
	long := strings.Repeat("n", maxName)
	put(t, l, "a", 1)
	put(t, l, long, 1)
	put(t, l, "cona.0_-.", 1)
	put(t, l, "a-b", 1)
	for _, name := range []string{"com", "com0", "com10", "lpt", "lpta", "console", "a.con"} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
	if names, err := l.Names(); err != nil || !slices.Equal(names, []string{"a", "a-b", "cona.0_-.", long}) {
		t.Errorf("names %q, error %v", names, err)
	}
	for _, name := range []string{"", ".", "..", ".a", "A", "a/b", "../a", "a\\b", "a b", "ä", "a\x00", "a\n", long + "n", "a:b", "~", "con", "con.0", "aux.tar.gz", "nul.", "prn", "com1", "com9.a", "lpt1", "lpt9"} {
		err := CheckName(name)
		if !errors.Is(err, ErrName) {
			t.Errorf("%q is a name", name)
		}
		_, _, get := l.Get(name)
		for what, err := range map[string]error{
			"get": get, "put": l.Put(name, Entry{}, writer(header(1, 1))), "fork": l.Fork("a", name),
			"fork of": l.Fork(name, "new"), "delete": l.Delete(name), "verify": l.Verify(name),
		} {
			if !errors.Is(err, ErrName) {
				t.Errorf("%s %q: error %v", what, name, err)
			}
		}
	}
	requireNames(t, l, "a-b", "a", "cona.0_-.", long)
}

// TestFull: when the disk is full after any number of bytes, the old state stays and
// nothing else.
func TestFull(t *testing.T) {
	l := open(t)
	put(t, l, "a", 1)
	old := content(t, l, "a")
	full := errors.New("no space left on device")
	for n := range old {
		err := l.Put("a", Entry{}, func(w io.Writer) error {
			if _, err := w.Write(old[:n]); err != nil {
				t.Error(err)
			}
			return full
		})
		if !errors.Is(err, full) {
			t.Fatalf("after %d bytes: error %v", n, err)
		}
		if err := l.Put("a", Entry{}, func(w io.Writer) error { _, err := w.Write(old[:n]); return err }); err == nil {
			t.Fatalf("%d bytes of %d are a state", n, len(old))
		}
		requireNames(t, l, "a")
	}
	if !bytes.Equal(content(t, l, "a"), old) {
		t.Error("the state has changed")
	}
}

// TestDamage: every cut and every flipped byte is found, and hides no other state.
func TestDamage(t *testing.T) {
	l := open(t)
	put(t, l, "a", 1)
	put(t, l, "b", 1)
	whole := content(t, l, "a")
	for n := range whole {
		flipped := bytes.Clone(whole)
		flipped[n] ^= 2
		for what, data := range map[string][]byte{"cut off": whole[:n], "flipped": flipped} {
			if err := os.WriteFile(l.Path("a"), data, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := l.Verify("a"); err == nil || !strings.Contains(err.Error(), l.Path("a")) {
				t.Fatalf("%s at %d: error %v", what, n, err)
			}
			if err := l.Fork("a", "c"); err == nil {
				t.Fatalf("%s at %d: is copied", what, n)
			}
			list, err := l.List()
			if err != nil || len(list) != 2 || list[1].Tokens != 1 {
				t.Fatalf("%s at %d: list %+v, error %v", what, n, list, err)
			}
		}
	}
	requireNames(t, l, "a", "b")
	if err := os.WriteFile(l.Path("a"), append(whole, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Verify("a"); err == nil {
		t.Error("a byte behind the end is not found")
	}
	if err := os.WriteFile(l.Path("a"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := l.List(); err != nil || list[0].Damage == "" {
		t.Errorf("list %+v, error %v", list, err)
	}
}

// TestPanic: a writer that panics leaves nothing.
func TestPanic(t *testing.T) {
	l := open(t)
	func() {
		defer func() { recover() }()
		_ = l.Put("a", Entry{}, func(io.Writer) error { panic("writer") })
		t.Error("no panic")
	}()
	requireNames(t, l)
}

// TestAtOnce: readers see whole states while writers replace them.
func TestAtOnce(t *testing.T) {
	l := open(t)
	put(t, l, "a", 0)
	done := make(chan error, 4)
	for i := range 4 {
		go func() {
			for n := range 20 {
				if err := l.Put("a", Entry{}, writer(header(100*i+n, 1+i))); err != nil {
					done <- err
					return
				}
				if err := l.Verify("a"); err != nil {
					done <- fmt.Errorf("writer %d: %w", i, err)
					return
				}
			}
			done <- nil
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	requireNames(t, l, "a")
}

func TestFolder(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", filepath.Join(t.TempDir(), "data"))
	got, err := Folder("0123456789abcdef0123")
	if err != nil || !strings.HasSuffix(got, filepath.Join("data", "mambac", "states", "0123456789abcdef")) {
		t.Errorf("%s, %v", got, err)
	}
	for _, identity := range []string{"", "../../etc", "A"} {
		if _, err := Folder(identity); !errors.Is(err, ErrName) {
			t.Errorf("identity %q: error %v", identity, err)
		}
	}
	t.Setenv("XDG_DATA_HOME", "relative")
	if got, err := Folder("ab"); err == nil && !filepath.IsAbs(got) {
		t.Errorf("a relative folder %s", got)
	}
}
