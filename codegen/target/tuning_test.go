package target

import (
	"reflect"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen/kernel"
)

// tiled is a back end of products with three tiles, the second of which should
// be the cheapest.
type tiled struct{}

var threeTiles = []Tile{{4, 24, 128}, {2, 48, 128}, {6, 16, 64}}

func (tiled) Level() Level              { return Level{Name: "v1", GOARCH: "amd64"} }
func (tiled) Supports(kernel.Spec) bool { return true }
func (tiled) Improves(kernel.Spec) bool { return true }
func (tiled) Tiles(s kernel.Spec) []Tile {
	if s.Kind() != "gemm" {
		return nil
	}
	return threeTiles
}

func (tiled) Cost(_ kernel.Spec, t Tile, tokens int) float64 {
	return float64(tokens) * map[int]float64{4: 2, 2: 1, 6: 3}[t.Tokens]
}

func (tiled) Emit(string, string, []kernel.Spec, Tiling) ([]byte, error) { return nil, nil }

const chunk = 64

var (
	wide   = kernel.Gemm{Storage: kernel.F32, K: 768, StrideX: 768, StrideY: 768}
	narrow = kernel.Gemm{Storage: kernel.F32, K: 48, StrideX: 48, StrideY: 768}
	vector = kernel.Gemv{Storage: kernel.F32, K: 768}
	specs  = []kernel.Spec{wide, vector, narrow}
)

// candidates took so many nanoseconds for a token each.
func candidates(perToken ...int) []Candidate {
	var list []Candidate
	for i, ns := range perToken {
		c := Candidate{threeTiles[i], map[int]int{}}
		for _, n := range Calls(chunk) {
			c.Nanoseconds[n] = n * ns
		}
		list = append(list, c)
	}
	return list
}

func TestTuningChooses(t *testing.T) {
	for _, c := range []struct {
		times []int
		want  Tile
		why   string
	}{
		{[]int{100, 200, 300}, threeTiles[0], "the fastest"},
		{[]int{300, 200, 100}, threeTiles[2], "the fastest"},
		{[]int{100, 101, 300}, threeTiles[1], "the one that was expected, which is as good"},
		{[]int{100, 103, 300}, threeTiles[0], "the fastest by more than chance"},
	} {
		tuning := NewTuning("a processor")
		if err := tuning.Add(tiled{}, wide, chunk, candidates(c.times...)); err != nil {
			t.Fatal(err)
		}
		if got := tuning.Kernels[0].Choice; got != c.want {
			t.Errorf("%v: chose %s, want %s: %s", c.times, got, c.want, c.why)
		}
	}
	for _, bad := range [][]Candidate{nil, {{Tile: threeTiles[0], Nanoseconds: map[int]int{chunk: 3}}}} {
		if err := NewTuning("").Add(tiled{}, wide, chunk, bad); err == nil || !strings.Contains(err.Error(), wide.Name()) {
			t.Errorf("%v: error %v", bad, err)
		}
	}
}

// TestTuningRoundtrip: what is read chooses as what was written, and only for
// what it holds: the level, the kernel and the chunk.
func TestTuningRoundtrip(t *testing.T) {
	written := NewTuning("a processor")
	if err := written.Add(tiled{}, wide, chunk, candidates(300, 200, 100)); err != nil {
		t.Fatal(err)
	}
	text, err := written.Format()
	if err != nil {
		t.Fatal(err)
	}
	read, err := ParseTuning(text)
	if err != nil || !reflect.DeepEqual(read, written) {
		t.Fatalf("%v: read %+v, wrote %+v", err, read, written)
	}
	tiling, lines, err := read.Tiling(tiled{}, specs, chunk)
	want := Tiling{wide: threeTiles[2], narrow: threeTiles[1]}
	if err != nil || !reflect.DeepEqual(tiling, want) || len(lines) != 1 {
		t.Errorf("%v: tiling %v, measured %q, want %v and one", err, tiling, lines, want)
	}
	if missing := read.Missing(tiled{}, specs, chunk); !reflect.DeepEqual(missing, []kernel.Spec{narrow}) {
		t.Errorf("missing %v, want %v", missing, narrow)
	}
	if missing := read.Missing(tiled{}, specs, chunk/2); len(missing) != 2 {
		t.Errorf("missing of another chunk %v, want all with tiles", missing)
	}
}

func TestNoTuningIsTheCostModel(t *testing.T) {
	tiling, lines, err := (*Tuning)(nil).Tiling(tiled{}, specs, chunk)
	want := Tiling{wide: threeTiles[1], narrow: threeTiles[1]}
	if err != nil || !reflect.DeepEqual(tiling, want) || lines != nil {
		t.Errorf("%v: tiling %v, measured %q, want %v", err, tiling, lines, want)
	}
}

func TestBadTuning(t *testing.T) {
	for text, want := range map[string]string{
		``:                                "is no tuning",
		`[]`:                              "is no tuning",
		`{"version": 2, "kernels": 3}`:    "is no tuning",
		`{"version": 2, "other": 3}`:      "is no tuning",
		`{"version": 99, "kernels": [3]}`: "version 99",
		`{"version": 2, "kernels": [{"choice": "4 by 24"}]}`: `tile "4 by 24": want one like 4x24k128`,
		`{"version": 2, "kernels": [{"choice": "4x24k01"}]}`: `tile "4x24k01"`,
	} {
		if _, err := ParseTuning([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
	unknown := NewTuning("")
	unknown.Kernels = []Measured{{Level: "v1", Kernel: wide.Name(), Chunk: chunk, Choice: Tile{5, 7, 9}}}
	if _, _, err := unknown.Tiling(tiled{}, specs, chunk); err == nil || !strings.Contains(err.Error(), "there is no tile 5x7k9; measure it again") {
		t.Errorf("error %v of a tile that nobody has", err)
	}
}
