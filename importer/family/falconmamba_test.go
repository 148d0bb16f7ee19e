package family

import (
	"testing"

	"github.com/mambac/mambac/ir/op"
)

// TestFalconMamba: three norms more a layer, without weights, of an eps of
// their own; the architecture is not that of Mamba, which has none.
func TestFalconMamba(t *testing.T) {
	falcon := edit(t, mambaJSON, `"mamba"`, `"falcon_mamba"`)
	for _, c := range []struct {
		keys string
		eps  float32
		head string
	}{
		{``, 1e-6, "backbone.embeddings.weight"},
		{`"mixer_rms_eps": 0.125, "tie_word_embeddings": false, `, 0.125, "lm_head.weight"},
	} {
		f := mambaFake()
		f.set("lm_head.weight", vocab, hidden)
		r := must(t, edit(t, falcon, `{`, `{`+c.keys), f)
		if got := r.Architecture.Kind(); got != "falcon_mamba" {
			t.Errorf("the architecture is %s", got)
		}
		if got := r.Module.Output.Params[0].Name; got != c.head {
			t.Errorf("the head is %s, want %s", got, c.head)
		}
		var widths []int
		for _, v := range r.Module.Regions[1].Body {
			if o, ok := v.Op.(op.RMSNorm); ok && v.Params[0] == nil {
				if o.Eps != c.eps {
					t.Errorf("an eps of %v, want %v", o.Eps, c.eps)
				}
				widths = append(widths, v.Type.Width)
			}
		}
		if len(widths) != 3 || widths[0] != rank || widths[1] != states || widths[2] != states {
			t.Errorf("norms of the widths %v, want %d, %d and %d", widths, rank, states, states)
		}
	}
}
