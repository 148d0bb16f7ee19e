// Package synth writes seeded random checkpoints of any family, in every
// container, for tests and benchmarks.
package synth

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mambac/mambac/importer/container"
	"github.com/mambac/mambac/ir/tensor"
)

// Options say which checkpoint to make.
type Options struct {
	Config    []byte       // config.json, of a registered family
	DType     tensor.DType // F32, F16 or BF16
	Container string       // "" for the family's own; see container.Names
	Seed      uint64
	// ShardBytes is the size at which sharded containers begin the next file;
	// 0 chooses.
	ShardBytes int64
	// HeadersOnly leaves holes in place of the values: files are as long as they
	// would be, take no room, and read as zeros.
	HeadersOnly bool
}

const defaultShardBytes = 2 << 30

// maxElements bounds a checkpoint: beyond it a config is taken for a mistake.
const maxElements = min(1<<40, math.MaxInt)

// family makes the checkpoints of one model type.
type family struct {
	name      string
	container string // the one it usually comes in
	recognise func(*config) bool
	// parameters appends the tensors of a model, in the order of use. They alone
	// say names, shapes and values.
	parameters func(*config, scope)
	// complete gives a config the sizes that follow from those it names; nil for
	// a family that has none.
	complete func(*config)
	base     string // keys that the configs of all its models have
	small    string // the other keys, of a little model
	presets  []preset
}

var families = map[string]family{}

// registerFamily adds a family; called from init of the file that defines it.
func registerFamily(f family) {
	if _, ok := families[f.name]; ok {
		panic("BUG: synth family " + f.name + " is registered twice")
	}
	families[f.name] = f
}

// modelType recognises configs by their model_type.
func modelType(name string) func(*config) bool {
	return func(c *config) bool { return c.text("model_type") == name }
}

// Families lists the registered families, sorted.
func Families() []string {
	var names []string
	for name := range families {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Checkpoint is a checkpoint to be written: its tensors are known, their
// values not made.
type Checkpoint struct {
	options Options
	family  family
	tensors []container.Tensor
}

// New checks options and config.
func New(o Options) (*Checkpoint, error) {
	if o.DType != tensor.F32 && o.DType != tensor.F16 && o.DType != tensor.BF16 {
		return nil, fmt.Errorf("element type %v: want f32, f16 or bf16", o.DType)
	}
	if o.ShardBytes < 0 {
		return nil, fmt.Errorf("shards of %d bytes: want more", o.ShardBytes)
	}
	if o.ShardBytes == 0 {
		o.ShardBytes = defaultShardBytes
	}
	cfg, err := parseConfig(o.Config)
	if err != nil {
		return nil, err
	}
	f, err := recognise(cfg)
	if err != nil {
		return nil, err
	}
	var parameters []parameter
	f.parameters(cfg, scope{list: &parameters})
	if cfg.err != nil {
		return nil, cfg.err
	}
	c := &Checkpoint{options: o, family: f}
	if err := c.add(parameters); err != nil {
		return nil, err
	}
	return c, c.chooseContainer()
}

// singleBytes is the size up to which a checkpoint comes in one file if the
// family's do.
const singleBytes = 8 << 30

// chooseContainer fills in what the options leave open, and checks them.
func (c *Checkpoint) chooseContainer() error {
	o := &c.options
	switch {
	case o.Container != "":
	case o.HeadersOnly, c.family.container == "safetensors" && c.Bytes() > singleBytes:
		o.Container = "safetensors-sharded"
	default:
		o.Container = c.family.container
	}
	if o.HeadersOnly {
		return container.CheckHoles(o.Container)
	}
	return container.Check(o.Container)
}

func recognise(c *config) (family, error) {
	for _, name := range Families() {
		if families[name].recognise(c) {
			return families[name], nil
		}
	}
	known := strings.Join(Families(), ", ")
	if !c.has("model_type") {
		return family{}, fmt.Errorf("config: model_type is missing, and so are d_model and n_layer of the state-spaces layout; known families are %s", known)
	}
	return family{}, fmt.Errorf("config model_type: have %q, of no family that can be made; known are %s", c.text("model_type"), known)
}

// Family is the name of the recognised family.
func (c *Checkpoint) Family() string { return c.family.name }

// Container is the name of the container.
func (c *Checkpoint) Container() string { return c.options.Container }

// Parameters is the number of values, those of tied tensors once.
func (c *Checkpoint) Parameters() int64 {
	n := int64(0)
	for _, t := range c.tensors {
		if t.Tied == "" {
			n += int64(t.Shape.Elements())
		}
	}
	return n
}

// Room is how many bytes the files take on the disk, but for headers.
func (c *Checkpoint) Room() int64 {
	if c.options.HeadersOnly {
		return 0
	}
	return c.Bytes()
}

// Bytes is the size of the values; files are a little larger.
func (c *Checkpoint) Bytes() int64 {
	n := int64(0)
	for _, t := range c.tensors {
		if t.Tied == "" {
			n += t.Bytes()
		}
	}
	return n
}

// add turns the family's parameters into tensors.
func (c *Checkpoint) add(parameters []parameter) error {
	total := 0
	for _, p := range parameters {
		n, err := p.shape.CheckedElements(maxElements)
		if total += n; err != nil || total > maxElements {
			return fmt.Errorf("%s: the config asks for more than %d values", p.name, maxElements)
		}
		c.tensors = append(c.tensors, c.tensor(p))
	}
	return nil
}

func (c *Checkpoint) tensor(p parameter) container.Tensor {
	dtype, name := c.options.DType, p.name
	if p.keep {
		dtype = tensor.F32
	}
	if p.tied != "" {
		name = p.tied
	}
	t := container.Tensor{Name: p.name, DType: dtype, Shape: p.shape, Tied: p.tied}
	if !c.options.HeadersOnly {
		t.Source = &values{newStream(c.options.Seed, name), p.fill, int64(p.shape.Row())}
	}
	return t
}

// values makes the rows of one tensor when they are asked for.
type values struct {
	stream stream
	fill   filler
	row    int64 // elements
}

// ReadRows implements tensor.Source.
func (v *values) ReadRows(dst []float32, lo, _ int) error {
	v.fill(v.stream, dst, int64(lo)*v.row)
	return nil
}

// Write makes the files of the checkpoint through create: config.json and
// those of the container. It holds one block of one tensor at a time.
func (c *Checkpoint) Write(create container.Create) error {
	f, err := create("config.json")
	if err != nil {
		return err
	}
	_, err = f.Write(c.options.Config)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return container.Write(c.options.Container, c.tensors, c.options.ShardBytes, create)
}
