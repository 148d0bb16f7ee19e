package kernel

import (
	"testing"
)

// examples holds one spec of every kind with no constant left at zero.
var examples = []Spec{
	Gemv{BF16, 768, Epilogue{Bias: true, Residual: true}},
	Gemm{F16, 7, 48, 96, Epilogue{Residual: true}},
	RMSNorm{768, 96, 768, 816, 0x3727c5ac, true, true},
	GatedNorm{768, 96, 768, 1536, 816, 0x3727c5ac, true},
	LayerNorm{768, 768, 816, 0x3727c5ac, true},
	Angles{32, 96, 0x3f800000},
	RoPE{768, 64, 32, 768, 48, 816, true},
	Conv{4, 1536, 3072, 3072, true, SiLU},
	Scan1{16, 3072, 1536, 3072, 3072, 96, 48, 64, true, true},
	SSD{64, 128, 24, 1536, 1824, 1536, 1664, 48, 1536, 0x3a83126f, 0x3dcccccd, true},
	Mamba3{64, 128, 4, 55680, 6144},
	Mamba3Prepare{64, 128, 4, 32, 1, 24, 55680, 3120, 512, 512, 3120, 3120, 3120, 3120, 0x38d1b717, true, true, true},
	Mamba3Gate{1536, 64, 4, 6144, 3120, 1536, 0x3727c5ac, true},
	Embed{F32, 768, 768},
	Map{MapMul, 64, 96, 144, 192, 0x3f800000},
	Quantise{Int8, 768, 816, 640},
	DotGemv{BF16, 7, Epilogue{Residual: true}},
	DotGemv{Int4, 768, Epilogue{Bias: true, Residual: true}},
	Keep{64, 768, true, F16},
	Attend{64, 4, 768, 816, 4096, 0x3e000000, F16},
	Route{"sigmoid", 64, 6, 8, 4, true, true, 96, 144, 0x3f800000},
	Gather{768, 816, 864},
	Scatter{768, 816, 864},
	Weigh{768, 816, 96},
	DotGemm{Int8, 70, 48, 96, Epilogue{Bias: true}},
}

func TestEveryKindRoundTripsAsText(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range examples {
		seen[s.Kind()] = true
		got, err := ParseSpec(Format(s))
		if err != nil {
			t.Fatal(err)
		}
		if got != s {
			t.Errorf("%s parses as %s", Format(s), Format(got))
		}
	}
	for _, k := range Kinds() {
		if !seen[k] {
			t.Errorf("kind %s has no example", k)
		}
	}
}

func TestParseSpecRejects(t *testing.T) {
	for _, text := range []string{"", "gemv", "gemv{", "gemv{K=x}", "gemv{Q=1}", "fft{K=1}", "gemv{K=99999999999}"} {
		if s, err := ParseSpec(text); err == nil {
			t.Errorf("%q parses as %v", text, s)
		}
	}
}

func TestGoName(t *testing.T) {
	if got, want := GoName(examples[0]), "gemvBf16K768BiasAdd"; got != want {
		t.Errorf("have %s, want %s", got, want)
	}
}

// TestIndexIsABijection proves that every weight of a panel has a place of its
// own inside the panel.
func TestIndexIsABijection(t *testing.T) {
	for _, s := range []Storage{F32, F16, BF16} {
		for _, k := range []int{1, 2, 7} {
			seen := map[int]bool{}
			for row := range PanelRows {
				for c := range k {
					i := s.Index(row, c)
					if i < 0 || i >= s.PanelElements(k) || seen[i] {
						t.Fatalf("%s k=%d: (%d,%d) at %d", s, k, row, c, i)
					}
					seen[i] = true
				}
			}
		}
	}
}

// TestCodedPanelIsABijection proves the same of codes and scales.
func TestCodedPanelIsABijection(t *testing.T) {
	for _, s := range []Storage{Int8, Int4} {
		c, _ := s.Coded()
		for _, k := range []int{1, c.Group, c.Group + 1, 2 * c.Group, 5*c.Group - 3} {
			seen := map[[2]int]bool{}
			use := func(at, bit, width int) {
				for b := bit; b < bit+width; b++ {
					if at < 0 || at >= s.PanelElements(k) || b >= 8 || seen[[2]int{at, b}] {
						t.Fatalf("%s k=%d: bit %d of byte %d", s, k, b, at)
					}
					seen[[2]int{at, b}] = true
				}
			}
			for row := range PanelRows {
				for column := range k {
					at, bit := s.CodeIndex(row, column)
					use(at, bit, c.Width)
				}
				for g := range c.Groups(k) {
					use(s.ScaleIndex(row, g), 0, 8)
					if !c.Multiples {
						use(s.ScaleIndex(row, g)+1, 0, 8)
					}
				}
				if c.Multiples {
					use(s.RowScaleIndex(row), 0, 8)
					use(s.RowScaleIndex(row)+1, 0, 8)
				}
			}
		}
	}
}
