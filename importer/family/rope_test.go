package family

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// turned reads what a config says of rotary embeddings for heads of 16.
func turned(config string) (*Rotary, error) {
	keys, err := ParseKeys([]byte(config))
	if err != nil {
		return nil, err
	}
	r := &reader{keys: keys}
	p := r.rope(1e4, 1)
	if r.err != nil {
		return nil, r.err
	}
	return p.rotary(size{"head dim", 16, "head_dim"})
}

// TestRopeSpellings: old and new configs of the same frequencies.
func TestRopeSpellings(t *testing.T) {
	for _, c := range []struct {
		name    string
		configs []string
		theta   float64
		width   int // of what is turned
	}{
		{"nothing", []string{`{}`, `{"rope_scaling": null, "rope_theta": null}`, `{"rope_parameters": {"rope_type": "default"}}`, `{"rope_parameters": {}}`}, 1e4, 16},
		{"theta", []string{`{"rope_theta": 500}`, `{"rope_parameters": {"rope_theta": 500, "rope_type": "default"}}`,
			`{"rope_theta": 7, "rope_parameters": {"rope_theta": 500}}`, `{"rope_theta": 500, "rope_scaling": {"type": "default"}}`}, 500, 16},
		{"partial", []string{`{"partial_rotary_factor": 0.3}`, `{"rope_parameters": {"partial_rotary_factor": 0.3}}`}, 1e4, 16},
		{"dynamic", []string{`{"max_position_embeddings": 64, "rope_scaling": {"type": "dynamic", "factor": 2.0}}`}, 1e4, 16},
	} {
		for _, config := range c.configs {
			r, err := turned(config)
			if err != nil {
				t.Errorf("%s: %s: %v", c.name, config, err)
				continue
			}
			var want []float64
			for i := range c.width / 2 {
				want = append(want, math.Pow(c.theta, -2*float64(i)/float64(c.width)))
			}
			near(t, config, r, want, 1)
		}
	}
}

// near compares frequencies to the rounding of float32.
func near(t *testing.T, config string, r *Rotary, want []float64, factor float64) {
	t.Helper()
	have := make([]float32, r.Frequencies.Shape.Elements())
	if err := r.Frequencies.Source.ReadRows(have, 0, len(have)); err != nil {
		t.Fatal(err)
	}
	if len(have) != len(want) || math.Abs(float64(r.Factor)-factor) > 1e-7*factor {
		t.Errorf("%s: %d frequencies and a factor of %v, want %d and %v", config, len(have), r.Factor, len(want), factor)
		return
	}
	for i, v := range have {
		if math.Abs(float64(v)-want[i]) > 3e-7*want[i] {
			t.Errorf("%s: frequency %d is %v, want %v", config, i, v, want[i])
		}
	}
}

// TestRopeScalings restates families.md §1.7 word by word.
func TestRopeScalings(t *testing.T) {
	const r = 16
	plain := func(i int) float64 { return math.Pow(1e4, -2*float64(i)/r) }
	all := func(f func(i int) float64) (list []float64) {
		for i := range r / 2 {
			list = append(list, f(i))
		}
		return list
	}
	for _, c := range []struct {
		config string
		want   []float64
		factor float64
	}{
		{`{"rope_scaling": {"type": "linear", "factor": 4.0}}`, all(func(i int) float64 { return plain(i) / 4 }), 1},
		{`{"rope_parameters": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 512}}`,
			all(func(i int) float64 {
				f, λ := plain(i), 2*math.Pi/plain(i)
				if λ > 512./1 {
					return f / 8
				}
				if λ < 512./4 {
					return f
				}
				u := (512/λ - 1) / (4 - 1)
				return (1-u)*f/8 + u*f
			}), 1},
		{`{"max_position_embeddings": 2048, "rope_scaling": {"rope_type": "yarn", "factor": 4, "finetuned": true, "truncate": true, "original_max_position_embeddings": 512}}`,
			all(func(i int) float64 {
				dim := func(n float64) float64 { return r * math.Log(512/(2*math.Pi*n)) / (2 * math.Log(1e4)) }
				low, high := math.Floor(dim(32)), math.Ceil(dim(1))
				ramp := math.Min(math.Max((float64(i)-low)/(high-low), 0), 1)
				return plain(i)/4*ramp + plain(i)*(1-ramp)
			}), 0.1*math.Log(4) + 1},
		{`{"max_position_embeddings": 64, "rope_scaling": {"rope_type": "yarn", "factor": 2, "beta_fast": 40, "beta_slow": 20, "attention_factor": 0.5}}`,
			// The ramp begins and ends at 0.
			all(func(i int) float64 {
				if i == 0 {
					return 1
				}
				return plain(i) / 2
			}), 0.5},
	} {
		have, err := turned(c.config)
		if err != nil {
			t.Errorf("%s: %v", c.config, err)
			continue
		}
		near(t, c.config, have, c.want, c.factor)
	}
}

// TestRopeContradictions: each is one line that names the key and what it says.
func TestRopeContradictions(t *testing.T) {
	known := strings.Join(ropeKeys, ", ")
	for _, c := range []struct{ config, want string }{
		{`{"rope_scaling": {"type": "longrope"}}`, "rope_scaling.rope_type: longrope is not supported; known are default, dynamic, linear, llama3, yarn"},
		{`{"rope_parameters": {"rope_type": "ntk\u001b"}}`, `rope_parameters.rope_type: "ntk\x1b" is not supported; known are default, dynamic, linear, llama3, yarn`},
		{`{"rope_parameters": {"rope_type": 3}}`, "rope_parameters.rope_type: have 3, want a string"},
		{`{"rope_parameters": [1]}`, "rope_parameters: have [1], want an object"},
		{`{"rope_parameters": {"full_attention": {"rope_theta": 2}}}`, `rope_parameters.full_attention: have {"rope_theta":2}, which is not supported; known are ` + known},
		{`{"rope_scaling": {"type": "yarn", "factor": 2, "mscale": 0.7}}`, "rope_scaling.mscale: have 0.7, which is not supported; known are " + known},
		{`{"rope_scaling": {"type": "linear"}}`, "rope_scaling.factor: is missing, want a number above 0"},
		{`{"rope_scaling": {"type": "linear", "factor": -1}}`, "rope_scaling.factor: have -1, want a number above 0"},
		{`{"rope_scaling": {"type": "linear", "factor": "2"}}`, `rope_scaling.factor: have "2", want a number`},
		{`{"rope_scaling": {"type": "llama3", "factor": 8}}`, "rope_scaling.low_freq_factor: is missing, want a number above 0"},
		{`{"rope_scaling": {"type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4, "original_max_position_embeddings": 9}}`,
			"rope_scaling.low_freq_factor: have 4, want less than high_freq_factor 4"},
		{`{"rope_scaling": {"type": "yarn", "factor": 8}}`, "original_max_position_embeddings and max_position_embeddings: have neither, want the context that yarn stretches"},
		{`{"max_position_embeddings": 64, "rope_scaling": {"type": "yarn", "factor": 8, "truncate": false}}`,
			"rope_scaling.truncate: is false, but the ramp of yarn begins and ends at whole dimensions here"},
		{`{"rope_scaling": {"type": "dynamic", "factor": 2}}`, "max_position_embeddings: is missing, want the length of a text up to which rope_scaling.rope_type dynamic is plain"},
		{`{"rope_theta": 1}`, "rope_theta: have 1, want a number above 1"},
		{`{"rope_theta": 1e39}`, "rope_theta: have 1e+39, want a number within ±3.4e+38"},
		{`{"rope_theta": Infinity}`, "rope_theta: have +Inf, want a finite number"},
	} {
		_, err := turned(c.config)
		if fmt.Sprint(err) != "config.json: "+c.want {
			t.Errorf("%s:\nhave %v\nwant config.json: %s", c.config, err, c.want)
		}
	}
}

// dynamicLongest is the bound of a text with dynamic frequencies up to 64 tokens.
var dynamicLongest = Longest{64, "rotary embeddings of type dynamic (rope_scaling in config.json) change with the length of the text beyond max_position_embeddings"}

// TestLongest: dynamic frequencies bound the texts of every hybrid that turns, and
// of none that does not.
func TestLongest(t *testing.T) {
	const dynamic = `"max_position_embeddings": 64, "rope_scaling": {"type": "dynamic", "factor": 2.0}`
	for _, c := range []struct {
		name, config, options string
		want                  Longest
	}{
		{"bamba", bambaJSON, dynamic, dynamicLongest},
		{"bamba plain", bambaJSON, `"max_position_embeddings": 64`, Longest{}},
		{"granite", graniteJSON, dynamic + `, "position_embedding_type": "rope"`, dynamicLongest},
		{"granite without positions", graniteJSON, dynamic, Longest{}},
		{"falcon_h1", falconH1JSON, dynamic, dynamicLongest},
		{"zamba2", zamba2JSON, dynamic + `, "tie_word_embeddings": true, "use_mem_rope": true`, dynamicLongest},
		{"zamba2 without positions", zamba2JSON, dynamic + `, "tie_word_embeddings": true`, Longest{}},
	} {
		config := fmt.Sprintf(`%s, %s}`, c.config[:len(c.config)-1], c.options)
		if r := must(t, config, hybridFake(t, config)); r.Longest != c.want {
			t.Errorf("%s: the longest text is %v, want %v", c.name, r.Longest, c.want)
		}
	}
}
