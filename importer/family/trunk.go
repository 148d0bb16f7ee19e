package family

import (
	"fmt"
	"strings"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/build"
)

// trunk is what every family has around its layers: embedding, final norm and
// head, and what config.json says of them. The names of tensors are those of
// the family; a size that the config does not give is learnt.
type trunk struct {
	set       *Set
	embedding string // name of the matrix
	prefix    string // of the layers' tensors, before their number
	norm      string // name of the final norm's weight

	vocab, hidden, layers size
	rows                  size // vocabulary rows stored
	eps                   float32
	tied                  bool
	centred               bool    // norms subtract the mean and have a bias: LayerNorm
	embeddingScale        float32 // of the embedding; 0 stands for 1
	logitsScale           float32 // of the logits; 0 stands for 1
	rotary                *Rotary // nil without rotary embeddings
}

const headMatrix = "lm_head.weight"

// readTrunk reads the keys that the Hugging Face layout has in every family,
// eps under its own name; tensors are named as most families name them.
func readTrunk(r *reader, s *Set, eps string, fallback float64, tied bool) trunk {
	return trunk{
		set:       s,
		embedding: "model.embed_tokens.weight",
		prefix:    "model.layers.",
		norm:      "model.norm.weight",
		vocab:     r.size("vocabulary size", "vocab_size"),
		hidden:    r.size("hidden size", "hidden_size"),
		layers:    r.size("number of layers", "num_hidden_layers", "n_layer"),
		eps:       r.epsilon(fallback, eps),
		tied:      r.flag(tied, "tie_word_embeddings"),
	}
}

// backbone takes the names of Mamba's tensors.
func (t *trunk) backbone() {
	t.embedding = t.set.stored("backbone.embeddings.weight", "backbone.embedding.weight")
	t.prefix, t.norm = "backbone.layers.", "backbone.norm_f.weight"
}

// prepare proves that nothing is missing and learns the sizes of the trunk;
// names lists what layer i stores besides what it may.
func (t *trunk) prepare(names func(i int) []string) error {
	s := t.set
	stored := s.layers(t.prefix)
	if t.layers.n == 0 && len(stored) > 0 {
		t.layers.n, t.layers.from = stored[len(stored)-1]+1, "the tensors' names"
	}
	if t.layers.n == 0 {
		return fmt.Errorf("no tensor is called %s0 or the like: there are no layers", t.prefix)
	}
	if t.layers.n > len(s.tensors.Names()) {
		return fmt.Errorf("%v, but the tensors have %d; is config.json from this checkpoint?", t.layers, len(stored))
	}
	s.require(t.embedding)
	s.requireLayers(t.prefix, t.layers.n, names)
	s.require(t.normNames(t.norm)...)
	if err := s.check(); err != nil {
		return t.hint(err)
	}
	t.rows.what = "vocabulary rows"
	s.learn(&t.rows, t.embedding, 0)
	s.learn(&t.hidden, t.embedding, 1)
	return s.check()
}

// hint adds to an error about missing or surplus tensors that the number of
// layers may be the reason.
func (t *trunk) hint(err error) error {
	stored := len(t.set.layers(t.prefix))
	if err == nil || t.layers.n == stored {
		return err
	}
	return fmt.Errorf("%w; %v, but the tensors have %d; is config.json from this checkpoint?", err, t.layers, stored)
}

// fits checks that the vocabulary is not larger than what is stored.
func (t *trunk) fits() error {
	if t.vocab.n > t.rows.n {
		return fmt.Errorf("config.json: vocab_size is %d, but %s has %d rows; is config.json from this checkpoint?", t.vocab.n, t.embedding, t.rows.n)
	}
	return nil
}

// normNames are what a norm of the stream stores, of which one is the weight.
func (t *trunk) normNames(weight string) []string {
	if !t.centred {
		return []string{weight}
	}
	return []string{weight, biasOf(weight)}
}

func biasOf(weight string) string { return strings.TrimSuffix(weight, ".weight") + ".bias" }

// normOf is the parameters of a norm of the stream; the bias is nil if it has
// none.
func (t *trunk) normOf(name string) (weight, bias *ir.Param) {
	weight = t.set.shaped(name, t.hidden.times(1))
	if t.centred {
		bias = t.set.shaped(biasOf(name), t.hidden.times(1))
	}
	return weight, bias
}

// normed is a norm of the stream.
func (t *trunk) normed(b *build.Builder, x *ir.Value, weight, bias *ir.Param) *ir.Value {
	if t.centred {
		return b.LayerNorm(x, weight, bias, t.eps)
	}
	return b.RMSNorm(x, weight, t.eps)
}

// firstError is the first error of steps that need those before.
func firstError(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (t *trunk) ends() Ends {
	e := Ends{Embedding: t.set.shaped(t.embedding, t.rows.times(1), t.hidden.times(1)), Epsilon: t.eps}
	e.Head = t.head(e.Embedding)
	e.Norm, e.NormBias = t.normOf(t.norm)
	return e
}

// head is the output matrix: the embedding when tied, or where an untied one
// was not stored (families.md §1.10).
func (t *trunk) head(embedding *ir.Param) *ir.Param {
	if t.tied || !t.set.has(headMatrix) {
		t.set.ignore(headMatrix)
		return embedding
	}
	return t.set.shaped(headMatrix, t.rows.times(1), t.hidden.times(1))
}

// each calls f for every layer, with the prefix of its tensors, and proves that
// then every tensor is used and none is wrong.
func (t *trunk) each(f func(i int, prefix string)) error {
	for i := range t.layers.n {
		f(i, fmt.Sprintf("%s%d.", t.prefix, i))
		if err := t.set.check(); err != nil {
			return err
		}
	}
	return t.hint(t.set.finish())
}

// layer appends a layer to a module: x is the residual stream, before and
// after, and name the region's. Angles are nil without rotary embeddings.
type layer func(b *build.Builder, x, angles *ir.Value, name string) *ir.Value

// assemble is the model whose layer i is what parameters makes of the tensors
// with a prefix.
func (t *trunk) assemble(c Keys, name string, parameters func(i int, prefix string) layer, facts ...Fact) (*Result, error) {
	e := t.ends()
	var layers []layer
	if err := t.each(func(i int, prefix string) { layers = append(layers, parameters(i, prefix)) }); err != nil {
		return nil, err
	}
	b := build.New(name)
	x, angles := t.start(b, e.Embedding)
	for i, l := range layers {
		region := fmt.Sprintf("layers.%d", i)
		b.Region(region)
		x = l(b, x, angles, region)
	}
	b.Region("head")
	logits := scaled(b, b.Linear(t.normed(b, x, e.Norm, e.NormBias), e.Head, nil), t.logitsScale)
	module, err := b.Finish(logits)
	if err != nil {
		return nil, err
	}
	return t.result(c, module, unplaced(name), facts...)
}

// start is the region before the layers; the embedding is its last value.
func (t *trunk) start(b *build.Builder, embedding *ir.Param) (x, angles *ir.Value) {
	b.Region("embed")
	if t.rotary != nil {
		angles = b.Angles(t.rotary.Frequencies, t.rotary.Factor)
	}
	return scaled(b, b.Embed(b.Input(), embedding), t.embeddingScale), angles
}

func scaled(b *build.Builder, x *ir.Value, by float32) *ir.Value {
	if by == 0 {
		return x
	}
	return b.Scale(x, by)
}

// result is a module with what the config says about tokens. The facts are the
// family's own.
func (t *trunk) result(c Keys, module *ir.Module, a Architecture, facts ...Fact) (*Result, error) {
	r := &Result{Module: module, Architecture: a, VocabSize: t.vocab.n, Facts: t.facts(facts)}
	if r.VocabSize == 0 {
		r.VocabSize = t.rows.n
	}
	if t.rotary != nil {
		r.Longest = t.rotary.Longest
	}
	eos, err := c.IDs("eos_token_id")
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	r.EOS = eos
	bos, err := c.IDs("bos_token_id")
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	if len(bos) == 1 {
		r.BOS = &bos[0]
	}
	return r, nil
}

func (t *trunk) facts(own []Fact) []Fact {
	list := append([]Fact{{"layers", t.layers.n}, {"hidden size", t.hidden.n}}, own...)
	return append(list, Fact{"vocabulary size", t.vocab.n}, Fact{"stored vocabulary rows", t.rows.n})
}
