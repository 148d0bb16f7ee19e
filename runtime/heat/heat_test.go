package heat

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/payload"
	"github.com/mambac/mambac/runtime/tokenizer"
)

const vocab = 300

// newEngine is of a model that hands out its ids.
func newEngine(t *testing.T) *engine.Engine {
	t.Helper()
	e, err := engine.New(enginetest.Tapped(vocab), []byte("weights"), engine.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// meta tells of layers.
func meta(layers ...payload.Layer) *payload.Metadata {
	m := enginetest.NewCarrier(vocab).Meta
	m.Layers = layers
	return &m
}

// weights holds a bias of -65, at 8.
func weights() []byte {
	return binary.LittleEndian.AppendUint32(make([]byte, 8, 12), math.Float32bits(-65))
}

func TestRead(t *testing.T) {
	e, bias := newEngine(t), int64(8)
	ids := make([]int32, 40) // more than a chunk
	for i := range ids {
		ids[i] = int32(60 + i)
	}
	for name, c := range map[string]struct {
		delta payload.Delta
		want  func(id float64) float64
	}{
		"as it is": {payload.Delta{Tap: "id"}, func(id float64) float64 { return id }},
		"softplus": {payload.Delta{Tap: "id", Bias: &bias}, func(id float64) float64 { return math.Log(1 + math.Exp(id-65)) }},
		"bounds":   {payload.Delta{Tap: "id", Bias: &bias, Low: 0.5, High: 3}, func(id float64) float64 { return min(max(math.Log(1+math.Exp(id-65)), 0.5), 3) }},
	} {
		r, err := New(e, meta(payload.Layer{Mixer: "attention"}, payload.Layer{Mixer: "mamba", Delta: &c.delta}), weights())
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Read(t.Context(), ids, make([]string, len(ids)))
		if err != nil {
			t.Fatal(err)
		}
		if m.Delta[0] != nil || m.Shades[0] != nil || m.Layers[1] != (Layer{1, "mamba"}) {
			t.Errorf("%s: %+v", name, m)
		}
		for i, id := range ids {
			if want := c.want(float64(id)); math.Abs(float64(m.Delta[1][i])-want) > 1e-5*want {
				t.Errorf("%s: token %d: Δ %g, want %g", name, i, m.Delta[1][i], want)
			}
		}
	}
}

func TestNewFails(t *testing.T) {
	e := newEngine(t)
	if _, err := New(e, meta(), nil); !errors.Is(err, ErrUnexplained) {
		t.Error(err)
	}
	for _, at := range []int64{-4, 1, 12, math.MaxInt64} {
		delta := &payload.Delta{Tap: "id", Bias: &at}
		if _, err := New(e, meta(payload.Layer{Delta: delta}), weights()); err == nil || !strings.Contains(err.Error(), "layer 0: the bias of Δ") {
			t.Errorf("at %d: %v", at, err)
		}
	}
	if _, err := New(e, meta(payload.Layer{Delta: &payload.Delta{Tap: "x"}}), nil); err == nil || !strings.Contains(err.Error(), `no tap "x"`) {
		t.Error(err)
	}
}

// TestReadNothing: of a model of attention there is nothing to show.
func TestReadNothing(t *testing.T) {
	r, err := New(newEngine(t), meta(payload.Layer{Mixer: "attention"}), nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Read(t.Context(), []int32{1}, []string{"a"})
	if err != nil || m.Delta[0] != nil || m.Overall != nil {
		t.Errorf("%+v, %v", m, err)
	}
	text, page := written(t, m)
	if !strings.Contains(text, `·        0 "a"`) || !strings.Contains(page, "1 of 1 layers have no Δ") || !strings.Contains(page, "<td class=none>") {
		t.Errorf("%s\n%s", text, page)
	}
}

// TestBroken: weights that are no numbers are told of.
func TestBroken(t *testing.T) {
	bias := int64(0)
	w := make([]byte, 8)
	binary.LittleEndian.PutUint32(w, math.Float32bits(float32(math.NaN())))
	r, err := New(newEngine(t), meta(payload.Layer{Delta: &payload.Delta{Tap: "id", Bias: &bias}}), w)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(t.Context(), []int32{1}, []string{"a"}); err == nil || !strings.Contains(err.Error(), "layer 0: Δ of token 0 is NaN") {
		t.Error(err)
	}
}

func TestShades(t *testing.T) {
	for _, c := range []struct {
		row  []float32
		want []int
	}{
		{nil, nil},
		{[]float32{5}, []int{4}},
		{[]float32{1, 1, 1}, []int{4, 4, 4}},
		{[]float32{3, 1, 2}, []int{7, 1, 4}},
		{[]float32{9, 8, 7, 6, 5, 4, 3, 2, 1}, []int{8, 7, 6, 5, 4, 3, 2, 1, 0}},
		{[]float32{0, 100, 0, 0}, []int{3, 7, 3, 3}},
	} {
		if got := shades(ranks(c.row)); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.row, got, c.want)
		}
	}
}

func TestTexts(t *testing.T) {
	table, err := tokenizer.Open(enginetest.NewCarrier(vocab).Tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	ids := []int32{'a', 0xc3, 0xa4, enginetest.Mark, 0xc3}
	if got := Texts(table, ids); !slices.Equal(got, []string{"a", "", "ä", "<mark>", "\ufffd"}) {
		t.Errorf("%q", got)
	}
	if got := Texts(nil, []int32{7, 12}); !slices.Equal(got, []string{"7", "12"}) {
		t.Errorf("%q", got)
	}
}

func written(t *testing.T, m *Map) (text, page string) {
	t.Helper()
	var b, h bytes.Buffer
	if err := errors.Join(m.WriteText(&b), m.WriteHTML(&h)); err != nil {
		t.Fatal(err)
	}
	return b.String(), h.String()
}

// example is of a text that would like to be more.
func example() *Map {
	m := &Map{
		Model: "</title><script>alert(1)</script>", Tokens: []string{"<img src=x onerror=alert(1)>", "\x1b[31m", "line\n", "\u0085"},
		Layers: []Layer{{0, "mamba"}, {1, "attention"}, {2, "mamba2"}},
		Delta:  [][]float32{{4, 3, 2, 1}, nil, {1, 2, 3, 4}},
	}
	m.shade()
	return m
}

func TestWrite(t *testing.T) {
	m := example()
	text, page := written(t, m)
	want := `Δ of "</title><script>alert(1)</script>" by token (lines) and layer (columns): ▁ passed by, █ written into the state, each by its rank in the layer; · is one of 1 layers without Δ
▇·▁      2.5 "<img src=x onerror=alert(1)>"
▅·▃      2.5 "\x1b[31m"
▃·▅      2.5 "line\n"
▁·▇      2.5 "\u0085"
`
	if text != want {
		t.Errorf("text\n%s\nwant\n%s", text, want)
	}
	for _, bad := range []string{"<script", "<img", "\x1b", "\u0085", "http:", "https:"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, part := range []string{"default-src 'none'", `<span class="s4">&lt;img src=x onerror=alert(1)&gt;</span>`, "␛[31m", "line↵\n", "<td class=s7><td class=none><td class=s1>", "prefers-color-scheme: dark"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page has no %q", part)
		}
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	var again Map
	if err := json.Unmarshal(b.Bytes(), &again); err != nil || again.Delta[2][3] != 4 || again.Delta[1] != nil {
		t.Errorf("%s, %v", b.Bytes(), err)
	}
}

func TestLabel(t *testing.T) {
	for text, want := range map[string]string{"a b": "a b", "  ": "␣␣", " \n\t": "␣↵⇥", "x\n": "x↵", "": ""} {
		if got := label(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestColumns: there is room for eight numbers above many layers.
func TestColumns(t *testing.T) {
	for layers, want := range map[int]int{1: 1, 12: 1, 24: 3, 64: 8, 65: 9} {
		if got := columns(layers); got != want {
			t.Errorf("%d layers: %d, want %d", layers, got, want)
		}
	}
}
