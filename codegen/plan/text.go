package plan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mambac/mambac/codegen/kernel"
)

// Format prints the plan; Parse reads it back.
func Format(p *Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "plan %s ids=%d vocab=%d chunk=%d block=%d arena=%d private=%d scratch=%d state=%d bytes=%d\n",
		strconv.Quote(p.Name), p.IDs, p.Vocab, p.Chunk, p.Block, p.Arena, p.Private, p.Scratch, p.State, p.Bytes)
	for _, c := range p.Caches {
		fmt.Fprintf(&b, "cache window=%d page=%d\n", c.Window, c.Page)
	}
	for _, buf := range p.Buffers {
		fmt.Fprintf(&b, "buffer %s %s width=%d stride=%d rows=%d offset=%d%s\n",
			buf.Name, buf.Space, buf.Width, buf.Stride, buf.Rows, buf.Offset, flag(buf.Carried, "carried"))
	}
	for _, w := range p.Weights {
		fmt.Fprintf(&b, "weight %s %s %s %q offset=%d %s\n",
			strconv.Quote(w.Param.Name), w.Param.DType, formatShape(w.Param.Shape), string(w.Param.Transform), w.Offset, formatSlot(&w.Slot))
	}
	for _, s := range p.States {
		fmt.Fprintf(&b, "state %s %s %s offset=%d %s\n",
			strconv.Quote(s.State.Name), s.State.Kind, formatShape(s.State.Shape), s.Offset, formatSlot(&s.Slot))
	}
	for _, block := range p.Blocks {
		fmt.Fprintf(&b, "block %s\n%s", block.Name, FormatBlock(block))
	}
	weights, states := index(p.Weights), index(p.States)
	for _, c := range p.Calls {
		fmt.Fprintf(&b, "call %s %s", strconv.Quote(c.Region), c.Block.Name)
		for _, w := range c.Weights {
			fmt.Fprintf(&b, " w%d", weights[w])
		}
		for _, s := range c.States {
			fmt.Fprintf(&b, " s%d", states[s])
		}
		b.WriteByte('\n')
	}
	for _, t := range p.Taps {
		fmt.Fprintf(&b, "tap %s call=%d %s[%d:%d]\n", strconv.Quote(t.Name), t.Call, t.Buffer.Name, t.Column, t.Column+t.Width)
	}
	return b.String()
}

// FormatBlock prints a block without its name: equal text, equal code.
func FormatBlock(block *Block) string {
	var b strings.Builder
	for i := range block.Weights {
		fmt.Fprintf(&b, "  weights %s\n", formatSlot(&block.Weights[i]))
	}
	for i := range block.States {
		fmt.Fprintf(&b, "  states %s\n", formatSlot(&block.States[i]))
	}
	for _, body := range block.Bodies {
		fmt.Fprintf(&b, "  body %s\n", body.Mode)
		for i, phase := range body.Phases {
			b.WriteString("    phase" + formatLoop(body.Phases[:i], phase.Loop, block) + "\n")
			for i := range phase.Steps {
				fmt.Fprintf(&b, "      step %s\n", formatStep(&phase.Steps[i], block))
			}
		}
	}
	return b.String()
}

// formatLoop prints what a phase is part of: loop, or more of the one before.
func formatLoop(before []Phase, loop *Loop, block *Block) string {
	switch {
	case loop == nil:
		return ""
	case len(before) > 0 && before[len(before)-1].Loop == loop:
		return " more"
	}
	return " loop " + formatArg(&loop.Weights, block)
}

func formatStep(s *Step, block *Block) string {
	args := make([]string, len(s.Args))
	for i, a := range s.Args {
		args[i] = formatArg(&a, block)
	}
	return fmt.Sprintf("%s split=%s panels=%d%s : %s",
		kernel.Format(s.Spec), s.Split, s.Panels, flag(s.Apart, "apart"), strings.Join(args, " "))
}

// formatArg prints view normed[0:768]+48!, weight $inProj[0]+36864,
// state &conv[0]+48!, ids, scratch; ! marks what the step writes, *96 how far
// experts are apart, @ what it finds its rows in.
func formatArg(a *Arg, block *Block) string {
	var s string
	switch a.Kind {
	case ViewArg:
		s = fmt.Sprintf("%s[%d:%d]", a.Buffer.Name, a.Column, a.Column+a.Width)
	case WeightArg:
		s = fmt.Sprintf("$%s[%d]", block.Weights[a.Slot].Name, a.Start)
	case StateArg:
		s = fmt.Sprintf("&%s[%d]", block.States[a.Slot].Name, a.Start)
	case ScratchArg:
		s = string(a.Kind)
		if a.Start > 0 {
			s = fmt.Sprintf("%s[%d]", a.Kind, a.Start)
		}
	default:
		s = string(a.Kind)
	}
	if a.Advance != 0 {
		s += fmt.Sprintf("+%d", a.Advance)
	}
	if a.Expert != 0 {
		s += fmt.Sprintf("*%d", a.Expert)
	}
	return s + flag(a.Whole, "@") + flag(a.Write, "!")
}

func formatSlot(s *Slot) string {
	text := fmt.Sprintf("%s %s %s segments=%s columns=%d elements=%d",
		s.Name, s.Layout, s.Storage, formatSegments(s), s.Columns, s.Elements)
	if s.Paged() {
		text += fmt.Sprintf(" cache=%d", s.Cache)
	}
	return text
}

// formatSegments prints 64*24 for the 24 equal segments of Heads.
func formatSegments(s *Slot) string {
	if s.Layout == Heads {
		return fmt.Sprintf("%d*%d", s.Segments[0], len(s.Segments))
	}
	return formatInts(s.Segments, ",")
}

func formatShape(shape []int) string { return "[" + formatInts(shape, ",") + "]" }

func formatInts(list []int, sep string) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, sep)
}

func flag(on bool, word string) string {
	switch {
	case !on:
		return ""
	case word == "!" || word == "@":
		return word
	}
	return " " + word
}

func index[T comparable](list []T) map[T]int {
	m := make(map[T]int, len(list))
	for i, v := range list {
		m[v] = i
	}
	return m
}
