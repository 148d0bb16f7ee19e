package prefix

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/snapshot"
)

// codec is that of the server: state files.
type codec struct{ *snapshot.Codec }

func (c codec) Write(w io.Writer, state *engine.State, key Key) error {
	return c.Codec.Write(w, &snapshot.Snapshot{State: state, Text: key})
}

func (c codec) Read(r io.Reader) (*engine.State, Key, error) {
	n, err := c.Codec.Read(r)
	if err != nil {
		return nil, Key{}, err
	}
	return n.State, n.Text, nil
}

// spillFolder is a folder that its owner alone can read.
func spillFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	return folder
}

// newSpill is a folder for states of an engine of enginetest.Remembering.
func newSpill(t *testing.T, e *engine.Engine, folder string, most int64) *Spill {
	t.Helper()
	meta := enginetest.NewRemembering(vocab).Meta
	s, err := OpenSpill(folder, most, codec{snapshot.New(&meta, e.Shape(), e)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// files lists the files of a folder.
func files(t *testing.T, folder string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := filepath.Glob(filepath.Join(folder, ".*"))
	if err != nil || len(hidden) > 0 {
		t.Fatalf("%v are left, %v", hidden, err)
	}
	return list
}

// await waits until what leaves is written.
func await(c *Cache) {
	for left := int64(1); left > 0; runtime.Gosched() {
		c.mu.Lock()
		left = c.leaving
		c.mu.Unlock()
	}
}

// TestSpill: what memory has no room for is read from a folder, by the next process
// too, which costs no text its bits.
func TestSpill(t *testing.T) {
	e := newEngine(t, enginetest.Remembering(vocab, false))
	folder := filepath.Join(t.TempDir(), "spill")
	o := Options{Memory: 400 * page, Chunk: chunk, Spill: newSpill(t, e, folder, 1<<20)}
	c := New(o)
	text := ids(1, 100)
	read(t, e, c.Text(Start{}, text))
	for n := range uint64(150) {
		read(t, e, c.Text(Start{}, ids(2+n, 100)))
		if s := c.Stats(); s.Bytes > o.Memory {
			t.Fatalf("%+v", s)
		}
		await(c) // or what leaves next may find no room on its way
	}
	c.Close()
	if s := c.Stats(); s.SpilledStates == 0 || s.SpilledStates != len(files(t, folder)) || s.Damaged != 0 {
		t.Fatalf("%+v", s)
	}
	for _, name := range append(files(t, folder), folder) {
		if st, err := os.Stat(name); err != nil || runtime.GOOS != "windows" && st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v, %v", name, st.Mode(), err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, temporary+"1"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Spill = newSpill(t, e, folder, 1<<20)
	again := newCache(t, o)
	if s := again.Stats(); s.SpilledStates != len(files(t, folder)) || s.States != 0 {
		t.Errorf("after a restart: %+v", s)
	}
	x := again.Text(Start{}, text)
	x.Load()
	state, count := read(t, e, x)
	if requireState(t, e, state, text); count != 100-96 {
		t.Errorf("%d ids were read", count)
	}
	requireExact(t, again)
}

// TestSpillIsBounded: older files make room for newer ones.
func TestSpillIsBounded(t *testing.T) {
	e := newEngine(t, enginetest.Remembering(vocab, false))
	folder := spillFolder(t)
	const most = 5000
	s := newSpill(t, e, folder, most)
	var size int64
	for n := range 30 {
		state := e.NewState()
		state.SetPos(0)
		s.put(Key{byte(n)}, state)
		size = 0
		for _, name := range files(t, folder) {
			st, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			size += st.Size()
		}
		if have, bytes, _ := s.count(); bytes != size || size > most || have != len(files(t, folder)) {
			t.Fatalf("%d files of %d bytes are counted, there are %d of %d", have, bytes, len(files(t, folder)), size)
		}
	}
	if size < most/2 || s.get(Key{29}) == nil || s.get(Key{0}) != nil {
		t.Errorf("%d bytes; the last is the first that goes", size)
	}
	none := newSpill(t, e, spillFolder(t), 10)
	if none.put(Key{1}, e.NewState()); none.holds(Key{1}) || len(files(t, none.folder)) != 0 {
		t.Error("there is a file of more bytes than all may have")
	}
	if later := newSpill(t, e, folder, 1); len(later.files) != 0 || len(files(t, folder)) != 0 {
		t.Error("with less room there is as much as before")
	}
}

// TestDamagedSpill: a file with any bit altered, a cut one and one of another key
// are no states, and are removed.
func TestDamagedSpill(t *testing.T) {
	e := newEngine(t, enginetest.Remembering(vocab, false))
	s := newSpill(t, e, spillFolder(t), 1<<20)
	state := e.NewState()
	if err := e.Prefill(t.Context(), state, ids(1, 3), engine.NoLogits, nil); err != nil {
		t.Fatal(err)
	}
	k := Key{1, 2, 3}
	s.put(k, state)
	whole, err := os.ReadFile(s.path(k))
	if err != nil {
		t.Fatal(err)
	}
	damage := 0
	try := func(what string, text []byte, k Key) {
		t.Helper()
		if err := os.WriteFile(s.path(k), text, 0o600); err != nil {
			t.Fatal(err)
		}
		s.add(&file{k, int64(len(text))})
		if s.get(k) != nil {
			t.Errorf("%s: it is read", what)
		}
		if _, err := os.Stat(s.path(k)); err == nil || s.holds(k) {
			t.Errorf("%s: it is still there", what)
		}
		damage++
		if _, _, n := s.count(); n != damage {
			t.Errorf("%s: %d files were damaged, want %d", what, n, damage)
		}
	}
	for i := range whole {
		text := bytes.Clone(whole)
		text[i] ^= 1 << (i % 8)
		try("altered", text, k)
	}
	for _, n := range []int{0, 1, 20, len(whole) - 1} {
		try("cut off", whole[:n], k)
	}
	try("another key", whole, Key{9})
	if err := os.WriteFile(s.path(k), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	s.add(&file{k, int64(len(whole))})
	have := s.get(k)
	if have == nil || !slices.Equal(have.Block(), state.Block()) || have.Pos() != 3 {
		t.Error("the whole one is not read")
	}
	if err := os.Remove(s.path(k)); err != nil {
		t.Fatal(err)
	}
	if s.get(k) != nil {
		t.Error("there is a state without a file")
	}
}

// TestRemovedFiles: files that somebody has removed take no room, and come again.
func TestRemovedFiles(t *testing.T) {
	e := newEngine(t, enginetest.Remembering(vocab, false))
	folder := spillFolder(t)
	s := newSpill(t, e, folder, 1<<20)
	key := Key{1}
	for range 2 {
		s.put(key, e.NewState())
		if state := s.get(key); state == nil || len(files(t, folder)) != 1 {
			t.Fatal("it is not kept")
		}
		if err := os.Remove(s.path(key)); err != nil {
			t.Fatal(err)
		}
		state := s.get(key)
		if n, size, damaged := s.count(); state != nil || n != 0 || size != 0 || damaged != 0 || s.holds(key) {
			t.Errorf("%v, %d files of %d bytes, %d damaged", state, n, size, damaged)
		}
	}
}

// counted is a codec that counts what is read, and waits with that.
type counted struct {
	Codec
	reads atomic.Int32
	wait  chan struct{}
}

func (c *counted) Read(r io.Reader) (*engine.State, Key, error) {
	c.reads.Add(1)
	<-c.wait
	return c.Codec.Read(r)
}

// TestLoadsAtOnce: a file is read once, however many wait for it, whether there is
// room for it or not.
func TestLoadsAtOnce(t *testing.T) {
	e := newEngine(t, enginetest.Remembering(vocab, false))
	for _, memory := range []int64{1 << 20, 1} {
		s := newSpill(t, e, spillFolder(t), 1<<20)
		slow := &counted{Codec: s.codec, wait: make(chan struct{})}
		s.codec = slow
		c := newCache(t, Options{Memory: memory, Spill: s})
		key, position := c.Text(Start{}, ids(1, 40)).keys[1], c.Text(Start{}, ids(1, 40)).border(1)
		state := e.NewState()
		if err := e.Prefill(t.Context(), state, ids(1, 40)[:position], engine.NoLogits, nil); err != nil {
			t.Fatal(err)
		}
		s.put(key, state)
		const many = 20
		var group sync.WaitGroup
		for range many {
			group.Go(c.Text(Start{}, ids(1, 40)).Load)
		}
		for c.loads.Users() < many {
			runtime.Gosched()
		}
		close(slow.wait)
		group.Wait()
		if n := slow.reads.Load(); n != 1 || c.loads.Users() != 0 {
			t.Errorf("it is read %d times, %d wait for it", n, c.loads.Users())
		}
		if held := c.Stats().States; memory > 1 && held != 1 || memory == 1 && held != 0 {
			t.Errorf("with %d bytes %d are held", memory, held)
		}
		if c.Text(Start{}, ids(1, 40)).Load(); memory > 1 && slow.reads.Load() != 1 {
			t.Error("what is held is read")
		}
		if !c.load(key, position) || memory > 1 && slow.reads.Load() != 1 {
			t.Error("what is held is read by those who come late")
		}
	}
}

// TestWrongPosition: a state that is not at its border is none.
func TestWrongPosition(t *testing.T) {
	e := newEngine(t, enginetest.Remembering(vocab, false))
	c := newCache(t, Options{Memory: 1 << 20, Spill: newSpill(t, e, spillFolder(t), 1<<20)})
	x := c.Text(Start{}, ids(1, 40))
	c.o.Spill.put(x.keys[1], e.NewState())
	if x.Load(); c.Stats().States != 0 || c.o.Spill.holds(x.keys[1]) {
		t.Error("it is kept")
	}
}

// TestStrangeFolders: what is no file of a state stays alone, and what is no folder
// is an error.
func TestStrangeFolders(t *testing.T) {
	e := newEngine(t, enginetest.Remembering(vocab, false))
	folder := spillFolder(t)
	stranger := filepath.Join(folder, "notes.txt")
	if err := os.WriteFile(stranger, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s := newSpill(t, e, folder, 1); len(s.files) != 0 {
		t.Error("it is taken for a state")
	}
	if _, err := os.Stat(stranger); err != nil {
		t.Error(err)
	}
	if _, err := OpenSpill(stranger, 1, nil); err == nil {
		t.Error("a file is a folder")
	}
}
