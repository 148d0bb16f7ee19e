package payload

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// write makes a payload behind a prefix of the given length.
func write(t testing.TB, prefix int, metadata *Metadata) []byte {
	t.Helper()
	var file bytes.Buffer
	file.WriteString(strings.Repeat("x", prefix))
	w := NewWriter(&file, int64(prefix))
	text, err := metadata.Encode()
	if err != nil {
		t.Fatal(err)
	}
	add(t, w, MetadataSection, text)
	add(t, w, TokenizerSection, []byte("table"))
	add(t, w, WeightsSection, bytes.Repeat([]byte{0, 0, 128, 63}, 3000))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func add(t testing.TB, w *Writer, name string, b []byte) {
	t.Helper()
	if err := w.Section(name); err != nil {
		t.Fatal(err)
	}
	for half := len(b) / 2; len(b) > 0; b, half = b[half:], len(b)-half {
		if _, err := w.Write(b[:half]); err != nil {
			t.Fatal(err)
		}
	}
}

func save(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

var sample = Metadata{Name: "tiny", Family: "mamba", EOS: []int32{0}, Card: []Fact{{"hidden size", "64"}}}

func TestRoundtrip(t *testing.T) {
	for _, prefix := range []int{0, 1, Align, 10000} {
		p, err := Open(save(t, "model", write(t, prefix, &sample)))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(*p.Metadata(), sample) {
			t.Errorf("metadata %+v, want %+v", *p.Metadata(), sample)
		}
		weights, ok := p.Section(WeightsSection)
		if v := Float32s(weights); !ok || len(v) != 3000 || v[2999] != 1 {
			t.Errorf("weights: %d values", len(v))
		}
		if table, _ := p.Section(TokenizerSection); string(table) != "table" {
			t.Errorf("tokenizer section is %q", table)
		}
		if _, ok := p.Section("absent"); ok {
			t.Error("an absent section is found")
		}
		if err := p.Check(); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestDeterministic(t *testing.T) {
	if !bytes.Equal(write(t, 77, &sample), write(t, 77, &sample)) {
		t.Error("two equal payloads differ")
	}
}

func TestDamage(t *testing.T) {
	good := write(t, 5000, &sample)
	cases := map[string]struct {
		bytes []byte
		want  string
	}{
		"empty":     {nil, "no payload"},
		"cut off":   {good[:len(good)-100], "no payload"},
		"appended":  {append(bytes.Clone(good), "junk"...), "no payload"},
		"shortened": {append(bytes.Clone(good[:6000]), good[len(good)-footerBytes:]...), "cut off or altered"},
		"footer":    {flip(good, len(good)-50), "footer is damaged"},
		"version":   {flip(good, len(good)-footerBytes+len(magic)), "format"},
		"metadata":  {flip(good, 2*Align+5), "metadata is damaged"},
		"table":     {flip(good, len(good)-footerBytes-9), "does not fit"},
	}
	for name, c := range cases {
		_, err := Open(save(t, "model", c.bytes))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", name, err, c.want)
		}
	}
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 0x40
	return b
}

func TestCheckFindsAlteredWeights(t *testing.T) {
	good := write(t, 0, &sample)
	p, err := Open(save(t, "model", flip(good, 3*Align)))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "altered") {
		t.Errorf("error %v, want altered", err)
	}
}

func TestWriterRefuses(t *testing.T) {
	var file bytes.Buffer
	w := NewWriter(&file, 0)
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("bytes before the first section")
	}
	if err := w.Section(strings.Repeat("n", 33)); err == nil {
		t.Error("long name")
	}
	add(t, w, "a", []byte("a"))
	if err := w.Section("a"); err == nil {
		t.Error("a name twice")
	}
}

func TestViewsPanicOnMisuse(t *testing.T) {
	b := Float32s(make([]byte, 8))
	if len(b) != 2 || Uint16s(nil) != nil {
		t.Error("views have wrong lengths")
	}
	defer func() {
		if r := recover(); r == nil || !strings.HasPrefix(r.(string), "BUG: ") {
			t.Errorf("recovered %v", r)
		}
	}()
	Float32s(make([]byte, 7))
}

func FuzzParse(f *testing.F) {
	good := write(f, 0, &sample)
	f.Add(good)
	f.Add(write(f, 10, &Metadata{}))
	f.Add(good[:len(good)-1])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parse(b)
		if err != nil {
			return
		}
		for _, s := range p.sections {
			if got, ok := p.Section(s.name); !ok || len(got) > len(b) {
				t.Fatalf("section %q: %d bytes of %d", s.name, len(got), len(b))
			}
		}
	})
}

// FuzzTable passes tables that no checksum protects.
func FuzzTable(f *testing.F) {
	f.Add(appendTable(nil, []section{{"a", 0, 10}, {"b", Align, 5}}), int64(2*Align))
	f.Add(appendTable(nil, []section{{"a", -Align, 1 << 62}}), int64(1)<<62)
	f.Fuzz(func(t *testing.T, b []byte, length int64) {
		list, err := parseTable(b, length)
		end := int64(0)
		for _, s := range list {
			if err == nil && (s.offset < end || s.length < 0 || s.offset+s.length > length) {
				t.Fatalf("section %+v of %d bytes", s, length)
			}
			end = s.offset + s.length
		}
	})
}
