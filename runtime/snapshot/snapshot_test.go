package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/state"
)

const vocab = 300

func start(t testing.TB, c *engine.Compiled, o engine.Options) *engine.Engine {
	t.Helper()
	e, err := engine.New(c, []byte("weights"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// counting is the codec of the model whose state has a fixed size.
func counting(t testing.TB) *Codec {
	e := start(t, enginetest.Compiled(vocab), engine.Options{Threads: 2})
	return New(&enginetest.NewCarrier(vocab).Meta, e.Shape(), e)
}

// remembering is the codec of one that keeps something of every token, or of those
// in a window.
func remembering(t testing.TB, window bool, o engine.Options) *Codec {
	e := start(t, enginetest.Remembering(vocab, window), o)
	return New(&enginetest.NewRemembering(vocab).Meta, e.Shape(), e)
}

// read reads ids, and knows what follows.
func read(t testing.TB, c *Codec, ids ...int32) *Snapshot {
	t.Helper()
	s := c.Fresh()
	goOn(t, c, s, ids...)
	return s
}

func goOn(t testing.TB, c *Codec, s *Snapshot, ids ...int32) {
	t.Helper()
	err := c.engine.Prefill(t.Context(), s.State, ids, engine.LastLogits, func(_ int, logits []float32) error {
		s.Logits = slices.Clone(logits)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Note(ids...)
}

func written(t testing.TB, c *Codec, s *Snapshot) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readBack(t testing.TB, c *Codec, file []byte) *Snapshot {
	t.Helper()
	s, err := c.Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// requireSame compares two snapshots and what follows them.
func requireSame(t testing.TB, c *Codec, a, b *Snapshot) {
	t.Helper()
	for range 2 {
		if a.State.Pos() != b.State.Pos() || a.Text != b.Text || !slices.Equal(a.Logits, b.Logits) || !reflect.DeepEqual(a.Seen, b.Seen) {
			t.Errorf("another text: %d and %d tokens", a.State.Pos(), b.State.Pos())
		}
		goOn(t, c, a, 9, 8, 7)
		goOn(t, c, b, 9, 8, 7)
	}
}

func TestRoundTrip(t *testing.T) {
	long := make([]int32, 1000)
	for i := range long {
		long[i] = int32(i * i % 97)
	}
	for name, c := range map[string]*Codec{
		"fixed": counting(t), "all": remembering(t, false, engine.Options{Threads: 1}), "window": remembering(t, true, engine.Options{Threads: 1}),
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{1, 63, 64, 200, 1000} {
				s := read(t, c, long[:n]...)
				s.Label, s.Source, s.Parent, s.Created = "label", "source", "parent", time.Unix(1e9, 0).UTC()
				file := written(t, c, s)
				again := readBack(t, c, file)
				if again.Label != s.Label || again.Source != s.Source || again.Parent != s.Parent || !again.Created.Equal(s.Created) {
					t.Errorf("described as %+v", again)
				}
				if !bytes.Equal(file, written(t, c, again)) {
					t.Error("written again it is another file")
				}
				requireSame(t, c, again, s)
			}
			fresh := readBack(t, c, written(t, c, c.Fresh()))
			requireSame(t, c, fresh, c.Fresh())
		})
	}
}

// TestUnknown: who does not know logits or the set of ids leaves them out.
func TestUnknown(t *testing.T) {
	c := counting(t)
	s := read(t, c, 1, 2)
	s.Logits, s.Seen = nil, nil
	again := readBack(t, c, written(t, c, s))
	if again.Logits != nil || again.Seen != nil || again.State.Pos() != 2 {
		t.Errorf("read back %+v", again)
	}
}

func TestExtend(t *testing.T) {
	all := Extend([32]byte{}, 1, 2, 3)
	if Extend(Extend([32]byte{}, 1), 2, 3) != all || Extend([32]byte{}, 1, 3, 2) == all || Extend([32]byte{}) != [32]byte{} {
		t.Error("a digest is not that of the ids in their order")
	}
}

// TestDamage: every cut and every flipped byte is an error.
func TestDamage(t *testing.T) {
	c := counting(t)
	s := read(t, c, 1, 2)
	s.Label = "label"
	file := written(t, c, s)
	for n := range file {
		for bit := range 8 {
			flipped := bytes.Clone(file)
			flipped[n] ^= 1 << bit
			if _, err := c.Read(bytes.NewReader(flipped)); err == nil {
				t.Fatalf("byte %d of %d is another one: no error", n, len(file))
			}
		}
		if _, err := c.Read(bytes.NewReader(file[:n])); err == nil || !strings.Contains(err.Error(), "cut off; ") {
			t.Fatalf("cut off after %d of %d bytes: error %v", n, len(file), err)
		}
	}
}

func TestAnother(t *testing.T) {
	c := counting(t)
	file := written(t, c, read(t, c, 1))
	for what, change := range map[string]func(*payload.Metadata){
		"model":   func(m *payload.Metadata) { m.Identity = "other" },
		"weights": func(m *payload.Metadata) { m.Weights = "bf16" },
		"math":    func(m *payload.Metadata) { m.Math = "fast" },
		"cache":   func(m *payload.Metadata) { m.Cache = "f16" },
	} {
		meta := *c.meta
		change(&meta)
		_, err := New(&meta, c.shape, c.engine).Read(bytes.NewReader(file))
		if err == nil || !strings.Contains(err.Error(), "state file is of "+what) || !strings.Contains(err.Error(), "save the text's state again") {
			t.Errorf("%s: error %v", what, err)
		}
	}
	other := remembering(t, false, engine.Options{Threads: 1})
	for what, s := range map[string]*Snapshot{
		"logits": {State: c.engine.NewState(), Logits: make([]float32, 3)},
		"set":    {State: c.engine.NewState(), Seen: make([]uint64, 99)},
	} {
		if err := c.Write(new(bytes.Buffer), s); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	if _, err := other.Read(bytes.NewReader(file)); err == nil {
		t.Error("a model with caches reads the state of one without")
	}
}

// forge changes a file's header and values and makes the checksum right again.
func forge(t testing.TB, file []byte, change func(h map[string]any, values []byte) []byte) []byte {
	t.Helper()
	const head = 16
	n := int(binary.LittleEndian.Uint32(file[12:]))
	var h map[string]any
	if err := json.Unmarshal(file[head:head+n], &h); err != nil {
		t.Fatal(err)
	}
	values := change(h, bytes.Clone(file[head+n:len(file)-sha256.Size]))
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	return seal(file[:12], text, values)
}

func seal(begin, header, values []byte) []byte {
	out := binary.LittleEndian.AppendUint32(bytes.Clone(begin), uint32(len(header)))
	out = append(append(out, header...), values...)
	sum := sha256.Sum256(out)
	return append(out, sum[:]...)
}

// TestForged: a file that somebody made up is refused, or read and gone on from;
// neither costs more than the file holds.
func TestForged(t *testing.T) {
	position := func(p any) func(map[string]any, []byte) []byte {
		return func(h map[string]any, values []byte) []byte {
			h["position"] = p
			return values
		}
	}
	everywhere := func(bits uint32) func(map[string]any, []byte) []byte {
		return func(_ map[string]any, values []byte) []byte {
			for i := 0; i < len(values); i += 4 {
				binary.LittleEndian.PutUint32(values[i:], bits)
			}
			return values
		}
	}
	claims := func(p int64) func(map[string]any, []byte) []byte {
		return func(h map[string]any, values []byte) []byte {
			h["position"] = p
			for _, v := range h["tensors"].([]any) {
				if shape := v.(map[string]any)["shape"].([]any); len(shape) == 3 {
					shape[0] = p
				}
			}
			return values
		}
	}
	set := func(name string, v any) func(map[string]any, []byte) []byte {
		return func(h map[string]any, values []byte) []byte {
			h[name] = v
			return values
		}
	}
	for name, c := range map[string]*Codec{
		"fixed": counting(t), "all": remembering(t, false, engine.Options{Threads: 1}), "window": remembering(t, true, engine.Options{Threads: 1}),
	} {
		file := written(t, c, read(t, c, make([]int32, 200)...))
		for what, change := range map[string]func(map[string]any, []byte) []byte{
			"NaN": everywhere(0x7fc00001), "infinite": everywhere(0xff800000), "largest": everywhere(0x7f7fffff), "denormal": everywhere(1),
			"far": position(int64(1) << 52), "31 bits": position(math.MaxInt32), "beyond": position(int64(math.MaxInt32) + 1), "further": position(int64(1) << 60),
			"before": position(-1), "fraction": position(1.5), "none": position(0), "text": position("7"),
			"claims much": claims(math.MaxInt32), "claims all": claims(1 << 52), "claims none": claims(0), "claims less": claims(3),
			"no set": set("seen", nil), "short set": set("seen", "AAAA"), "set of all": set("seen", strings.Repeat("//", 25)+"8="), "no digest": set("text", ""),
			"long digest": set("text", strings.Repeat("ff", 33)), "no tensors": set("tensors", nil), "a time": set("created", "9999-12-31T23:59:59+23:59"),
			"no time": set("created", "yesterday"), "tensor": set("tensors", []any{map[string]any{"name": "lanes", "shape": []int{-8, -1}}}),
		} {
			s, err := c.Read(bytes.NewReader(forge(t, file, change)))
			if err != nil {
				t.Logf("%s: %s: %v", name, what, err)
				continue
			}
			if err := c.engine.CheckPosition(s.State.Pos() + 1); err != nil {
				continue
			}
			if err := c.engine.Decode(t.Context(), []*engine.State{s.State}, []int32{5}, [][]float32{nil}); err != nil {
				t.Errorf("%s: %s: %v", name, what, err)
			}
			if s.Seen != nil && len(s.Seen) != c.words() {
				t.Errorf("%s: %s: a set of %d words", name, what, len(s.Seen))
			}
		}
	}
}

// TestContext: a state that is longer than a text may be is refused.
func TestContext(t *testing.T) {
	c, bounded := remembering(t, false, engine.Options{Threads: 1}), remembering(t, false, engine.Options{Threads: 1, Context: 10})
	_, err := bounded.Read(bytes.NewReader(written(t, c, read(t, c, make([]int32, 11)...))))
	if !errors.Is(err, engine.ErrContext) {
		t.Errorf("error %v", err)
	}
	if _, err := bounded.Read(bytes.NewReader(written(t, c, read(t, c, make([]int32, 10)...)))); err != nil {
		t.Error(err)
	}
}

func TestFile(t *testing.T) {
	c := counting(t)
	path := filepath.Join(t.TempDir(), "f.state")
	for _, ids := range [][]int32{{1, 2, 3}, {4}} {
		s := read(t, c, ids...)
		if err := c.Save(path, s); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
			t.Errorf("it is %v, %v", st.Mode(), err)
		}
		again, err := c.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		requireSame(t, c, again, s)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for part, data := range map[string][]byte{
		"bytes behind its end": append(bytes.Clone(data), 0), "cut off": data[:len(data)-1], "damaged": append(bytes.Clone(data[:len(data)-1]), 0),
		"is no state file": bytes.Repeat([]byte("text "), 100),
	} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Load(path); err == nil || !strings.Contains(err.Error(), path+": ") || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, want one of the file with %q", err, part)
		}
	}
	if _, err := c.Load(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// FuzzRead makes the checksum right, so that what lies behind it is met.
func FuzzRead(f *testing.F) {
	c := remembering(f, true, engine.Options{Threads: 1})
	file := written(f, c, read(f, c, 1, 2, 3))
	n := int(binary.LittleEndian.Uint32(file[12:]))
	f.Add(file[16:16+n], file[16+n:len(file)-sha256.Size])
	f.Add([]byte(`{"model":"fake","weights":"f32","math":"exact","position":9007199254740992}`), []byte("NaN"))
	f.Fuzz(func(t *testing.T, header, values []byte) {
		s, err := c.Read(bytes.NewReader(seal(file[:12], header, values)))
		if err != nil || c.engine.CheckPosition(s.State.Pos()+1) != nil {
			return
		}
		if err := c.engine.Decode(t.Context(), []*engine.State{s.State}, []int32{5}, [][]float32{nil}); err != nil {
			t.Error(err)
		}
		var again bytes.Buffer
		s = readBack(t, c, seal(file[:12], header, values))
		if err := c.Write(&again, s); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(&again); err != nil {
			t.Errorf("what was read cannot be written and read again: %v", err)
		}
	})
}

// TestSealed holds seal against the format.
func TestSealed(t *testing.T) {
	c := counting(t)
	file := written(t, c, read(t, c, 1))
	forged := forge(t, file, func(_ map[string]any, values []byte) []byte { return values })
	if _, err := state.NewReader(bytes.NewReader(forged)); err != nil {
		t.Error(err)
	}
	readBack(t, c, forged)
}
