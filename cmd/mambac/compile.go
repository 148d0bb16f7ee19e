package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/runtime/cpu"
	"github.com/mambac/mambac/runtime/payload"
)

// choice is the flags that say what to compile for.
type choice struct {
	weights, cpu, math string
	cache              string // format of keys and values
	platform           string // GOOS/GOARCH
	disable            []string
	warmed             <-chan struct{} // closed when warm is done; nil if it was not started
	text               string          // of --calibrate; "" for none
	calibration        *calibration    // what was read of it
	tuneFlags
	importFlags
	featureFlags
}

// newChoice is what no flags say: for this machine, weights as stored.
func newChoice() *choice {
	return &choice{weights: "auto", cpu: "native", math: "auto", cache: "auto", platform: platform()}
}

// registerPasses adds the flags that decide what is imported and what the passes
// do.
func (o *choice) registerPasses(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.weights, "weights", "auto", "format of the weights: "+strings.Join(pass.Formats, ", ")+"; auto is as in the checkpoint, auto:N has N bits for each weight")
	f.StringSliceVar(&o.disable, "disable-pass", nil, "rewrites to leave out, to bisect a fault: "+strings.Join(pass.Names(), ", "))
	f.StringVar(&o.cache, "cache", "auto", "format of the keys and values that attention looks back on: "+strings.Join(pass.Caches, ", ")+"; auto is f32, or f16 in fast math")
	choices(cmd, "weights", pass.Formats...)
	choices(cmd, "cache", pass.Caches...)
	choices(cmd, "disable-pass", pass.Names()...)
	o.importFlags.register(cmd)
}

// registerLevels adds the flags that decide what is emitted; level is the
// default of --cpu.
func (o *choice) registerLevels(cmd *cobra.Command, level string) {
	o.platform = platform()
	f := cmd.Flags()
	f.StringVar(&o.cpu, "cpu", level, "CPU level: generic, v3 (AVX2), v4 (AVX-512), v4n (VNNI: faster with weights kept as codes), v4b (BF16: faster with --weights bf16 --math fast), neon (arm64), all that are faster for the model, or native: the best of this machine, all for another")
	f.StringVar(&o.math, "math", "auto", "arithmetic: exact (float32), fast (weights kept as codes meet activations in 8 bits, those in bf16 activations in bf16, which is faster on v4b alone), or auto: fast where weights are codes")
	choices(cmd, "cpu", append([]string{"native", "all"}, codegen.Levels("")...)...)
	choices(cmd, "math", maths...)
}

// maths lists what --math may be.
var maths = []string{string(lower.Auto), string(lower.Exact), string(lower.Fast)}

// checkPasses tells of wrong usage before anything is opened.
func (o *choice) checkPasses() error {
	for _, name := range o.disable {
		if err := oneOf("disable-pass", name, pass.Names()...); err != nil {
			return err
		}
	}
	if err := pass.CheckRecipe(o.weights); err != nil {
		return usagef("--weights: %v", err)
	}
	if err := oneOf("cache", o.cache, pass.Caches...); err != nil {
		return err
	}
	return o.importFlags.check()
}

// check is checkPasses for all flags.
func (o *choice) check() error {
	if err := o.checkPasses(); err != nil {
		return err
	}
	if err := o.checkCalibration(); err != nil {
		return err
	}
	if err := oneOf("math", o.math, maths...); err != nil {
		return err
	}
	if err := checkTarget(o.platform); err != nil {
		return err
	}
	if err := o.featureFlags.check(); err != nil {
		return err
	}
	if err := o.checkTuning(); err != nil {
		return err
	}
	_, goarch := o.system()
	return oneOf("cpu", o.cpu, append([]string{"native", "all"}, codegen.Levels(goarch)...)...)
}

// system is the GOOS and GOARCH of the target.
func (o *choice) system() (goos, goarch string) {
	goos, goarch, _ = strings.Cut(o.platform, "/")
	return goos, goarch
}

// levels lists the CPU levels to emit, as far as keep wants them. Of a machine
// that is not this one nobody knows the processor: its program gets them all and
// picks at start. Source for any machine may be meant for this one.
func (o *choice) levels() []string {
	_, goarch := o.system()
	known := codegen.Levels(goarch)
	switch o.keep() {
	case codegen.KeepAll:
		return []string{o.cpu}
	case codegen.KeepBest:
		return slices.DeleteFunc(known, func(level string) bool { return len(missingFeatures(level)) > 0 })
	}
	return known
}

// keep says which levels a program has: the one that was asked for, the best of
// this processor, or all that are of use to it.
func (o *choice) keep() codegen.Keep {
	switch {
	case o.cpu == "all", o.cpu == "native" && o.platform != platform() && o.platform != anyPlatform:
		return codegen.KeepBetter
	case o.cpu == "native":
		return codegen.KeepBest
	}
	return codegen.KeepAll
}

// missingFeatures lists what this processor lacks for a level.
func missingFeatures(level string) []string {
	var missing []string
	for _, f := range codegen.Features(level) {
		if !cpu.Has(f) {
			missing = append(missing, f)
		}
	}
	return missing
}

// compiled is a model with the code for it.
type compiled struct {
	*model
	*codegen.Output
	module  *ir.Module // after the passes
	levels  []string
	weights string // format of the matrices
	math    string
	cache   string // format of keys and values; "" if there are none
	// calibration says on what text codes were chosen; "" for none.
	calibration string
	layers      []payload.Layer // of a program that explains
}

// passes rewrites the module of a model, in the formats that were chosen.
func (o *choice) passes(m *model) (*ir.Module, error) {
	module, err := pass.Run(m.Module, pass.Options{Disable: o.disable, Storage: o.weights, Cache: o.caches()})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.checkpoint.Path, err)
	}
	return module, nil
}

// compile turns a model into source. command stands in the files' headers.
func (o *choice) compile(m *model, out codegen.Options, command string) (*compiled, error) {
	module, err := o.passes(m)
	if err != nil {
		return nil, err
	}
	if o.calibration != nil {
		o.calibration.apply(module)
	}
	return o.emit(m, module, out, command)
}

// emit turns a module, after the passes, into source.
func (o *choice) emit(m *model, module *ir.Module, out codegen.Options, command string) (*compiled, error) {
	out.Tuning = o.tuning
	if m.Tokenizer != nil && m.Tokenizer.Engine() {
		out.Runtime = append(out.Runtime, "regex")
	}
	out.Command, out.Levels, out.Keep, out.Math = "mambac "+version+" "+command, o.levels(), o.keep(), lower.Math(o.math)
	out.Chat = chatOf(m.Chat, out.Commands)
	explains := slices.Contains(out.Commands, explaining)
	if explains {
		tapScans(module)
	}
	result, err := codegen.Compile(module, out)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.checkpoint.Path, err)
	}
	c := &compiled{model: m, Output: result, module: module, levels: result.Levels, weights: formats(module), math: result.Math(), cache: cacheFormat(module)}
	if explains {
		c.layers = layersOf(module, result.Plan)
	}
	if o.calibration != nil {
		c.calibration = o.calibration.name
	}
	if o.math == "fast" && c.math != o.math {
		return nil, fmt.Errorf("%s: --math fast: weights %s have no narrow product; choose --weights int8, int4 or bf16", m.checkpoint.Path, c.weights)
	}
	return c, nil
}

// formats names the storage of the parameters that are not plain float32, or
// f32 if all are.
func formats(m *ir.Module) string {
	var list []string
	for _, p := range m.Params {
		if p.Storage != "f32" && !slices.Contains(list, p.Storage) {
			list = append(list, p.Storage)
		}
	}
	if list == nil {
		return "f32"
	}
	slices.Sort(list)
	return strings.Join(list, "+")
}

// metadata is what the program will know of its model.
func (c *compiled) metadata(report []byte) *payload.Metadata {
	s := measure(c.module)
	return &payload.Metadata{
		Mambac: version, Name: c.name, Family: c.Family, Fingerprint: c.Fingerprint,
		Weights: c.weights, Calibration: c.calibration, Math: c.math, Cache: narrowCache(c.cache), Levels: c.levels, Tuning: c.Tuning, Card: c.card(),
		States: stateSlots(c.Plan), Layers: c.layers,
		VocabSize: c.VocabSize, SentencePiece: c.SentencePiece, Longest: c.longest(), ChatTemplates: chatNames(c.Chat), BOS: c.BOS, EOS: c.EOS,
		Parameters: s.Parameters, WeightBytes: s.WeightBytes, StateBytes: s.StateBytes,
		DecodeBytesPerToken: s.DecodeBytes, PrefillFlopPerToken: s.PrefillFlop, HeadFlop: s.HeadFlop,
		Report: report,
	}
}

// stateSlots tells where the states of a sequence lie.
func stateSlots(p *plan.Plan) []payload.StateSlot {
	var slots []payload.StateSlot
	for _, s := range p.States {
		last := len(s.State.Shape) - 1
		slot := payload.StateSlot{
			Name: s.State.Name, Kind: string(s.State.Kind),
			Rows: s.State.Shape[:last].Elements(), Columns: s.State.Shape[last], Offset: s.Offset,
		}
		if s.Slot.Paged() {
			slot.Cache, slot.ByColumns = s.Slot.Cache, s.Slot.Layout == plan.Keys
			slot.Format = narrowCache(string(s.Slot.Storage))
		} else {
			slot.Lanes, slot.Run = s.Lanes(), s.Run()
		}
		slots = append(slots, slot)
	}
	return slots
}
