// Package library is a folder of named states, which is nothing but its files; it
// sees what runtime has for files only.
package library

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mambac/mambac/runtime/atomicfile"
	"github.com/mambac/mambac/runtime/private"
	"github.com/mambac/mambac/runtime/state"
)

// Errors that a caller may want to tell apart.
var (
	// ErrNotFound is returned for a name that no state has.
	ErrNotFound = errors.New("there is no such state in the library")
	// ErrExists is returned for a name that is to be new.
	ErrExists = errors.New("there is such a state in the library already; choose another name, or delete it first")
	// ErrDamaged is returned for a file that is no state.
	ErrDamaged = errors.New("the state cannot be read")
	// ErrName is returned for what cannot be a name.
	ErrName = errors.New("a state's name has letters a to z, digits, dots, hyphens and underscores, at most 128, no dot in front, and up to its first dot is no device of Windows (con, prn, aux, nul, com1 to com9, lpt1 to lpt9)")
)

const (
	maxName   = 128
	extension = ".state"
)

// Library is a folder of states, of which several processes may make use at once:
// a state is the old one or the new one for each of them.
type Library struct {
	// Now tells when a state is made.
	Now    func() time.Time
	folder string
}

// Entry is what a state's file says of it.
type Entry struct {
	Name    string
	Label   string // what it is, for people
	Source  string // what its text is from
	Parent  string // name of the state that it goes on from
	Tokens  int
	Bytes   int64 // of the file
	Created time.Time
	Model   string // identity of the model that can read it
	Damage  string // why the file cannot be read, in a list
}

// Open opens a library, which is made if there is none: for its owner alone, as
// states tell of what was read. What killed writers have left is removed.
func Open(dir string) (*Library, error) {
	folder, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := private.Folder(folder); err != nil {
		return nil, err
	}
	atomicfile.Clean(folder)
	return &Library{time.Now, folder}, nil
}

// Folder is where the states of a model are kept if nobody says where: among the
// user's data, apart from those of other models.
func Folder(identity string) (string, error) {
	base, err := dataFolder()
	if err != nil {
		return "", fmt.Errorf("no folder for states is known: %w; use --library DIR", err)
	}
	const enough = 16 // of a digest
	name := identity[:min(len(identity), enough)]
	if err := CheckName(name); err != nil {
		return "", fmt.Errorf("the model's identity is %.16q: %w", identity, err)
	}
	return filepath.Join(base, "mambac", "states", name), nil
}

// CheckName tells of what cannot be a name.
func CheckName(name string) error {
	ok := name != "" && len(name) <= maxName && name[0] != '.'
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_')
	}
	if !ok || device(name) {
		return fmt.Errorf("%.140q: %w", name, ErrName)
	}
	return nil
}

// device tells of what Windows takes for a device, whatever follows a dot. It is
// refused everywhere, so that a library can be copied there.
func device(name string) bool {
	name, _, _ = strings.Cut(name, ".")
	switch name {
	case "con", "prn", "aux", "nul":
		return true
	}
	number, serial := strings.CutPrefix(name, "com")
	if !serial {
		number, serial = strings.CutPrefix(name, "lpt")
	}
	return serial && len(number) == 1 && number >= "1" && number <= "9"
}

// Path is the file of a name that can be one.
func (l *Library) Path(name string) string { return filepath.Join(l.folder, name+extension) }

// Names lists the states, sorted.
func (l *Library) Names() ([]string, error) {
	names, _, err := l.scan()
	return names, err
}

// Strangers lists what is in the folder and no state: links, folders, other names.
func (l *Library) Strangers() ([]string, error) {
	_, others, err := l.scan()
	return others, err
}

func (l *Library) scan() (names, others []string, err error) {
	entries, err := os.ReadDir(l.folder)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), extension)
		switch {
		case ok && CheckName(name) == nil && e.Type().IsRegular():
			names = append(names, name)
		case !atomicfile.Unfinished(e.Name()):
			others = append(others, e.Name())
		}
	}
	slices.Sort(names) // the extension is in the way of some
	return names, others, nil
}

// Usage is how much a library holds.
type Usage struct {
	States int
	Bytes  int64 // of their files
}

// Usage counts the states but that of a name. No file is opened for it, so it takes
// little even where there are many.
func (l *Library) Usage(but string) (Usage, error) {
	names, err := l.Names()
	if err != nil {
		return Usage{}, err
	}
	var u Usage
	for _, name := range names {
		if name == but {
			continue
		}
		st, err := os.Lstat(l.Path(name))
		if errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
			continue
		}
		if err != nil {
			return Usage{}, err
		}
		u.States++
		u.Bytes += st.Size()
	}
	return u, nil
}

// List tells of all states, sorted by name. It reads headers only: Verify proves
// the rest.
func (l *Library) List() ([]Entry, error) {
	names, err := l.Names()
	if err != nil {
		return nil, err
	}
	var list []Entry
	for _, name := range names {
		f, e, err := l.Get(name)
		switch {
		case errors.Is(err, ErrNotFound): // deleted meanwhile
			continue
		case err != nil:
			e = Entry{Name: name, Damage: err.Error()}
		default:
			f.Close()
		}
		list = append(list, e)
	}
	return list, nil
}

// Get opens a state's file at its beginning.
func (l *Library) Get(name string) (io.ReadCloser, Entry, error) {
	f, size, err := l.open(name)
	if err != nil {
		return nil, Entry{}, err
	}
	in, err := state.NewReader(f)
	if err != nil {
		f.Close()
		return nil, Entry{}, fmt.Errorf("%s: %w: %w", f.Name(), ErrDamaged, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		f.Close()
		return nil, Entry{}, err
	}
	return f, entry(name, &in.Header, size), nil
}

func entry(name string, h *state.Header, size int64) Entry {
	return Entry{
		Name: name, Label: h.Label, Source: h.Source, Parent: h.Parent,
		Tokens: h.Position, Bytes: size, Created: h.Created, Model: h.Model,
	}
}

// open opens a state's file and tells its size.
func (l *Library) open(name string) (*os.File, int64, error) {
	if _, err := l.look(name); err != nil {
		return nil, 0, err
	}
	f, err := os.OpenFile(l.Path(name), os.O_RDONLY|noFollow, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("%s: %w", name, ErrNotFound)
	}
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat() // it may be another one than looked at
	if err == nil {
		err = check(f.Name(), st)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, st.Size(), nil
}

// look tells whether there is a file of a name that may be a state.
func (l *Library) look(name string) (fs.FileInfo, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	st, err := os.Lstat(l.Path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", name, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return st, check(l.Path(name), st)
}

// check refuses what is no file of its owner's alone.
func check(path string, st fs.FileInfo) error {
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s: is no regular file (%s), and states are nothing else; remove it", path, st.Mode().Type())
	}
	return private.Check(path, st)
}

// Delete removes a state.
func (l *Library) Delete(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	st, err := os.Lstat(l.Path(name))
	if err == nil && !st.Mode().IsRegular() {
		return check(l.Path(name), st)
	}
	if err == nil {
		err = atomicfile.Remove(l.Path(name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", name, ErrNotFound)
	}
	return err
}

// Verify reads all of a state and proves its checksum.
func (l *Library) Verify(name string) error {
	f, _, err := l.open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := verify(f); err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	return nil
}

func verify(r io.Reader) error {
	in, err := state.NewReader(r)
	if err != nil {
		return err
	}
	if err := in.Verify(); err != nil {
		return err
	}
	return in.End()
}
