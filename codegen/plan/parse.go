package plan

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/tensor"
)

// Parse reads what Format printed. Parameters come back without a source.
func Parse(text string) (*Plan, error) {
	p := &parser{plan: &Plan{}, buffers: map[string]*Buffer{}, blocks: map[string]*Block{}}
	for n, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		p.fields = split(line)
		p.at = 0
		p.line()
		if p.err != nil {
			return nil, fmt.Errorf("plan: line %d: %w", n+1, p.err)
		}
	}
	return p.plan, nil
}

// parser reads one line at a time; the first error sticks.
type parser struct {
	plan    *Plan
	buffers map[string]*Buffer
	blocks  map[string]*Block
	block   *Block
	fields  []string
	at      int
	err     error
}

// split cuts a line at spaces outside quotes and braces.
func split(line string) []string {
	var fields []string
	start, depth, quoted := -1, 0, false
	for i := 0; i <= len(line); i++ {
		end := i == len(line) || line[i] == ' ' && depth == 0 && !quoted
		switch {
		case end && start >= 0:
			fields = append(fields, line[start:i])
			start = -1
		case !end && start < 0:
			start = i
		}
		if i == len(line) {
			break
		}
		switch {
		case quoted && line[i] == '\\':
			i++
		case line[i] == '"':
			quoted = !quoted
		case !quoted && line[i] == '{':
			depth++
		case !quoted && line[i] == '}':
			depth--
		}
	}
	return fields
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *parser) word() string {
	if p.at >= len(p.fields) {
		p.fail("line ends early")
		return ""
	}
	p.at++
	return p.fields[p.at-1]
}

func (p *parser) quoted() string {
	s, err := strconv.Unquote(p.word())
	if err != nil {
		p.fail("want a quoted name: %v", err)
	}
	return s
}

func (p *parser) number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		p.fail("%q is no number", s)
	}
	return n
}

// value reads key=number.
func (p *parser) value(key string) int {
	s, ok := strings.CutPrefix(p.word(), key+"=")
	if !ok {
		p.fail("want %s=", key)
		return 0
	}
	return p.number(s)
}

func (p *parser) ints(s string) []int {
	var list []int
	for part := range strings.SplitSeq(s, ",") {
		if part != "" {
			list = append(list, p.number(part))
		}
	}
	return list
}

func (p *parser) line() {
	switch word := p.word(); word {
	case "plan":
		q := p.plan
		q.Name, q.IDs, q.Vocab, q.Chunk, q.Block = p.quoted(), p.value("ids"), p.value("vocab"), p.value("chunk"), p.value("block")
		q.Arena, q.Private, q.Scratch = p.value("arena"), p.value("private"), p.value("scratch")
		q.State, q.Bytes = p.value("state"), int64(p.value("bytes"))
	case "cache":
		p.plan.Caches = append(p.plan.Caches, Cache{Window: p.value("window"), Page: p.value("page")})
	case "buffer":
		b := &Buffer{Name: p.word(), Space: Space(p.word()), Width: p.value("width"), Stride: p.value("stride"),
			Rows: p.value("rows"), Offset: p.value("offset"), Carried: len(p.fields) > 7}
		p.plan.Buffers = append(p.plan.Buffers, b)
		p.buffers[b.Name] = b
	case "weight":
		p.plan.Weights = append(p.plan.Weights, p.weight())
	case "state":
		s := &State{State: &ir.State{Name: p.quoted(), Kind: ir.StateKind(p.word()), Shape: p.shape()}}
		s.Offset, s.Slot = p.value("offset"), p.slot()
		if s.Slot.Paged() && s.Slot.Cache < len(p.plan.Caches) {
			s.State.Window = p.plan.Caches[s.Slot.Cache].Window
		}
		p.plan.States = append(p.plan.States, s)
	case "block":
		p.block = &Block{Name: p.word()}
		p.plan.Blocks = append(p.plan.Blocks, p.block)
		p.blocks[p.block.Name] = p.block
	case "call":
		p.call()
	case "tap":
		t := Tap{Name: p.quoted(), Call: p.value("call")}
		view := p.arg(p.word())
		t.Buffer, t.Column, t.Width = view.Buffer, view.Column, view.Width
		p.plan.Taps = append(p.plan.Taps, t)
	default:
		p.inBlock(word)
	}
}

func (p *parser) weight() *Weight {
	w := &Weight{Param: &ir.Param{Name: p.quoted()}}
	d, err := tensor.ParseDType(p.word())
	if err != nil {
		p.fail("%v", err)
	}
	w.Param.DType, w.Param.Shape = d, p.shape()
	w.Param.Transform = ir.Transform(p.quoted())
	w.Offset, w.Slot = int64(p.value("offset")), p.slot()
	w.Param.Storage = string(w.Slot.Storage)
	return w
}

func (p *parser) shape() tensor.Shape {
	return p.ints(strings.Trim(p.word(), "[]"))
}

func (p *parser) slot() Slot {
	s := Slot{Name: p.word(), Layout: Layout(p.word()), Storage: kernel.Storage(p.word())}
	segments, ok := strings.CutPrefix(p.word(), "segments=")
	if !ok {
		p.fail("want segments=")
	}
	s.Segments = p.segments(segments)
	s.Columns, s.Elements = p.value("columns"), p.value("elements")
	if s.Paged() {
		s.Cache = p.value("cache")
	}
	return s
}

// segments reads 48,32 or, of equal ones, 64*24.
func (p *parser) segments(text string) []int {
	each, times, equal := strings.Cut(text, "*")
	if !equal {
		return p.ints(text)
	}
	n := p.number(times)
	if n < 1 || n > math.MaxUint16 {
		p.fail("%s: no number of segments", text)
		return nil
	}
	return slices.Repeat([]int{p.number(each)}, n)
}

func (p *parser) inBlock(word string) {
	if p.block == nil {
		p.fail("%q stands outside a block", word)
		return
	}
	bodies := p.block.Bodies
	switch word {
	case "weights":
		p.block.Weights = append(p.block.Weights, p.slot())
	case "states":
		p.block.States = append(p.block.States, p.slot())
	case "body":
		p.block.Bodies = append(bodies, Body{Mode: Mode(p.word())})
	case "phase":
		if len(bodies) == 0 {
			p.fail("phase outside a body")
			return
		}
		body := &bodies[len(bodies)-1]
		body.Phases = append(body.Phases, Phase{Loop: p.loop(body.Phases)})
	case "step":
		if len(bodies) == 0 || len(bodies[len(bodies)-1].Phases) == 0 {
			p.fail("step outside a phase")
			return
		}
		body := &bodies[len(bodies)-1]
		phase := &body.Phases[len(body.Phases)-1]
		phase.Steps = append(phase.Steps, p.step())
	default:
		p.fail("unknown word %q", word)
	}
}

// loop reads what a phase is part of.
func (p *parser) loop(before []Phase) *Loop {
	if p.at == len(p.fields) {
		return nil
	}
	switch word := p.word(); {
	case word == "loop":
		return &Loop{p.arg(p.word())}
	case word == "more" && len(before) > 0 && before[len(before)-1].Loop != nil:
		return before[len(before)-1].Loop
	default:
		p.fail("a phase is no %q", word)
	}
	return nil
}

func (p *parser) step() Step {
	spec, err := kernel.ParseSpec(p.word())
	if err != nil {
		p.fail("%v", err)
	}
	s := Step{Spec: spec}
	split, ok := strings.CutPrefix(p.word(), "split=")
	if !ok {
		p.fail("want split=")
	}
	s.Split, s.Panels = Split(split), p.value("panels")
	word := p.word()
	if s.Apart = word == "apart"; s.Apart {
		word = p.word()
	}
	if word != ":" {
		p.fail("want : before the arguments")
	}
	for p.err == nil && p.at < len(p.fields) {
		s.Args = append(s.Args, p.arg(p.word()))
	}
	return s
}

func (p *parser) arg(text string) Arg {
	var a Arg
	text, a.Write = strings.CutSuffix(text, "!")
	text, a.Whole = strings.CutSuffix(text, "@")
	text, expert, apart := strings.Cut(text, "*")
	if apart {
		a.Expert = p.number(expert)
	}
	text, advance, found := strings.Cut(text, "+")
	if found {
		a.Advance = p.number(advance)
	}
	name, rest, indexed := strings.Cut(text, "[")
	inside := strings.TrimSuffix(rest, "]")
	switch {
	case !indexed:
		a.Kind = ArgKind(name)
		if a.Kind != IDsArg && a.Kind != ScratchArg && a.Kind != RowsArg {
			p.fail("unknown argument %q", text)
		}
	case name == string(ScratchArg):
		a.Kind, a.Start = ScratchArg, p.number(inside)
	case strings.HasPrefix(name, "$"):
		a.Kind, a.Start, a.Slot = WeightArg, p.number(inside), p.slotIndex(p.block.Weights, name[1:])
	case strings.HasPrefix(name, "&"):
		a.Kind, a.Start, a.Slot = StateArg, p.number(inside), p.slotIndex(p.block.States, name[1:])
	default:
		lo, hi, _ := strings.Cut(inside, ":")
		a.Kind, a.Column = ViewArg, p.number(lo)
		a.Width = p.number(hi) - a.Column
		if a.Buffer = p.buffers[name]; a.Buffer == nil {
			p.fail("unknown buffer %q", name)
		}
	}
	return a
}

func (p *parser) slotIndex(slots []Slot, name string) int {
	for i := range slots {
		if slots[i].Name == name {
			return i
		}
	}
	p.fail("unknown slot %q", name)
	return 0
}

func (p *parser) call() {
	c := Call{Region: p.quoted(), Block: p.blocks[p.word()]}
	if c.Block == nil {
		p.fail("unknown block")
		return
	}
	for p.err == nil && p.at < len(p.fields) {
		w := p.word()
		i := p.number(w[1:])
		switch {
		case w[0] == 'w' && i >= 0 && i < len(p.plan.Weights):
			c.Weights = append(c.Weights, p.plan.Weights[i])
		case w[0] == 's' && i >= 0 && i < len(p.plan.States):
			c.States = append(c.States, p.plan.States[i])
		default:
			p.fail("unknown weight or state %q", w)
		}
	}
	p.plan.Calls = append(p.plan.Calls, c)
}
