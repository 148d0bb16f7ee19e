package family

import (
	"fmt"
	"math"

	"github.com/mambac/mambac/importer/block"
	"github.com/mambac/mambac/ir"
)

// attention is what configs say of attention layers (families.md §1.7).
type attention struct {
	heads, kv, dim size
	window         int
	bias           bool    // of all four projections
	scale          float32 // of the scores; 0 for one by the square root of dim
	keyScale       float32 // of the keys; 0 stands for 1
}

// attention reads heads. kv is the family's number of those of keys and values
// where the config is silent; 0, or null in the config, for as many as of
// queries.
func (r *reader) attention(kv int) attention {
	a := attention{
		heads: r.sizeOr(32, "heads", "num_attention_heads"),
		dim:   r.size("head dim", "head_dim"),
	}
	if kv == 0 || r.keys.saysNull("num_key_value_heads") {
		kv = a.heads.n
	}
	a.kv = r.sizeOr(kv, "heads of keys and values", "num_key_value_heads")
	return a
}

// settle divides the hidden size into heads where the config gives no size of
// them, or what is stored of queries if that does not go, and checks that heads
// can share keys. The prefix is that of one layer's tensors.
func (a *attention) settle(s *Set, prefix string, hidden size) error {
	if a.heads.n%a.kv.n != 0 {
		return fmt.Errorf("config.json: %v do not divide %v", a.kv, a.heads)
	}
	if a.dim.n > 0 {
		return nil
	}
	whole := hidden
	if hidden.n%a.heads.n != 0 {
		whole = size{what: "rows of queries"}
		s.require(prefix + "q_proj.weight")
		s.learn(&whole, prefix+"q_proj.weight", 0)
		if err := s.check(); err != nil {
			return err
		}
	}
	if whole.n%a.heads.n != 0 {
		return fmt.Errorf("config.json: %v divide neither %v nor %v, and there is no head_dim", a.heads, hidden, whole)
	}
	a.dim.n, a.dim.from = whole.n/a.heads.n, whole.from+" and "+a.heads.from
	return nil
}

// names lists what an attention stores.
func (a *attention) names(prefix string) []string {
	list := []string{"q_proj.weight", "k_proj.weight", "v_proj.weight", "o_proj.weight"}
	if a.bias {
		list = append(list, "q_proj.bias", "k_proj.bias", "v_proj.bias", "o_proj.bias")
	}
	return prefixed(prefix, list...)
}

// parameters is the attention whose tensors have the prefix, from a stream of
// one width to one of another.
func (a *attention) parameters(s *Set, prefix string, in, out axis) *block.Attention {
	queries := axis{a.heads.n * a.dim.n, []size{a.heads, a.dim}}
	keys := axis{a.kv.n * a.dim.n, []size{a.kv, a.dim}}
	p := &block.Attention{
		Heads: a.heads.n, KVHeads: a.kv.n, HeadDim: a.dim.n,
		Scale: a.scale, Window: a.window, KeyScale: a.keyScale,
	}
	if p.Scale == 0 {
		p.Scale = float32(1 / math.Sqrt(float64(a.dim.n)))
	}
	project := func(name string, rows, columns axis) (w, bias *ir.Param) {
		w = s.shaped(prefix+name+".weight", rows, columns)
		if a.bias {
			bias = s.shaped(prefix+name+".bias", rows)
		}
		return w, bias
	}
	p.Q, p.QBias = project("q_proj", queries, in)
	p.K, p.KBias = project("k_proj", keys, in)
	p.V, p.VBias = project("v_proj", keys, in)
	p.O, p.OBias = project("o_proj", out, queries)
	return p
}

func (a *attention) facts() []Fact {
	list := []Fact{{"heads", a.heads.n}, {"heads of keys and values", a.kv.n}, {"head dim", a.dim.n}}
	if a.window > 0 {
		list = append(list, Fact{"sliding window", a.window})
	}
	return list
}
