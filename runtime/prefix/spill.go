package prefix

import (
	"container/list"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/private"
)

// Codec writes states, and reads them back with a proof that nothing has changed.
type Codec interface {
	Write(w io.Writer, state *engine.State, key Key) error
	Read(r io.Reader) (*engine.State, Key, error)
}

// Spill is a folder of states, one file each, of one process at a time. Files are
// its own, and of no use to others.
type Spill struct {
	// OnError is told why a state could not be written: once, until one can be again.
	// Nil for nobody.
	OnError func(error)

	folder string
	most   int64 // bytes
	codec  Codec

	mu        sync.Mutex
	files     map[Key]*list.Element
	recent    list.List // of *file, the last one that was used first
	bytes     int64
	damaged   int
	unwritten int  // states
	failing   bool // the last one is of these
}

type file struct {
	key  Key
	size int64
}

const (
	suffix    = ".prefix"  // of the names of files: the rest is their keys
	temporary = ".writing" // begins the names of those that are not whole
)

// OpenSpill uses a folder for up to so many bytes, and makes it if there is none: for
// its owner alone, as states tell of what was read.
func OpenSpill(folder string, most int64, codec Codec) (*Spill, error) {
	if err := private.Folder(folder); err != nil {
		return nil, err
	}
	s := &Spill{folder: folder, most: most, codec: codec, files: map[Key]*list.Element{}}
	return s, s.open()
}

// open finds what is there, and removes what an end has left half written.
func (s *Spill) open() error {
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return err
	}
	type dated struct {
		file
		at time.Time
	}
	var found []dated
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), temporary) {
			_ = os.Remove(filepath.Join(s.folder, e.Name())) // it may stay
			continue
		}
		key, ok := parseName(e.Name())
		info, err := e.Info()
		if ok && err == nil && info.Mode().IsRegular() {
			found = append(found, dated{file{key, info.Size()}, info.ModTime()})
		}
	}
	slices.SortFunc(found, func(a, b dated) int { return a.at.Compare(b.at) })
	for i := range found {
		s.add(&found[i].file)
	}
	return nil
}

func (s *Spill) path(k Key) string {
	return filepath.Join(s.folder, hex.EncodeToString(k[:])+suffix)
}

func parseName(name string) (k Key, ok bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digits) != 2*len(k) {
		return k, false
	}
	_, err := hex.Decode(k[:], []byte(digits))
	return k, err == nil
}

// add counts a file that is there, and removes others for it.
func (s *Spill) add(f *file) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files[f.key] != nil {
		return
	}
	s.files[f.key] = s.recent.PushFront(f)
	for s.bytes += f.size; s.bytes > s.most; {
		s.remove(s.recent.Back())
	}
}

func (s *Spill) remove(at *list.Element) {
	f := s.recent.Remove(at).(*file)
	delete(s.files, f.key)
	s.bytes -= f.size
	_ = os.Remove(s.path(f.key)) // one that stays is found again
}

// drop removes a file that is not what it should be.
func (s *Spill) drop(k Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.damaged++
	s.removeKey(k)
}

// forget removes what is left of a file that is not there.
func (s *Spill) forget(k Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removeKey(k)
}

func (s *Spill) removeKey(k Key) {
	if at := s.files[k]; at != nil {
		s.remove(at)
	}
}

func (s *Spill) holds(k Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files[k] != nil
}

func (s *Spill) count() (files int, bytes int64, damaged int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.files), s.bytes, s.damaged
}

// lost is how many states could not be written.
func (s *Spill) lost() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unwritten
}

// put writes a state. One that cannot be written is one that is not kept.
func (s *Spill) put(k Key, state *engine.State) {
	size, err := s.write(k, state)
	if s.news(err) && s.OnError != nil {
		s.OnError(err)
	}
	if err == nil {
		s.add(&file{k, size})
	}
}

// news counts an error, and tells whether it is the first behind what went well.
func (s *Spill) news(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.failing
	if s.failing = err != nil; s.failing {
		s.unwritten++
	}
	return s.failing && !before
}

// write has a file appear as a whole. It need not survive the machine: what is not
// what it should be is no state.
func (s *Spill) write(k Key, state *engine.State) (size int64, err error) {
	f, err := os.CreateTemp(s.folder, temporary)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	err = s.codec.Write(f, state, k)
	if err == nil {
		size, err = f.Seek(0, io.SeekCurrent)
	}
	if err == nil && size > s.most {
		err = fmt.Errorf("%d bytes are more than all files may have", size)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), s.path(k))
	}
	return size, err
}

// get reads a state, and removes its file if it is another's or damaged. Nil if
// there is none.
func (s *Spill) get(k Key) *engine.State {
	s.mu.Lock()
	at := s.files[k]
	if at != nil {
		s.recent.MoveToFront(at)
	}
	s.mu.Unlock()
	if at == nil {
		return nil
	}
	f, err := os.Open(s.path(k))
	if errors.Is(err, fs.ErrNotExist) { // it has made room meanwhile, or somebody has removed it
		s.forget(k)
		return nil
	}
	var state *engine.State
	var have Key
	if err == nil {
		state, have, err = s.codec.Read(f)
		err = errors.Join(err, f.Close())
	}
	if err != nil || have != k {
		s.drop(k)
		return nil
	}
	return state
}
