package gosrc

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/plan"
)

// tables emits the buffers' offsets, and per block its type and the table of
// where each region's weights and states lie.
func (e *emitter) tables(f *jen.File) {
	e.bufferConstants(f)
	for _, r := range e.blocks() {
		e.blockType(f, r)
		e.blockTable(f, r)
	}
	e.bind(f)
}

func (e *emitter) bufferConstants(f *jen.File) {
	docf(f, "Where the buffers begin, in float32 from the start of their space: the arena that\n"+
		"all workers share, or each worker's own scratch, which begins with kernel scratch.")
	f.Const().DefsFunc(func(g *jen.Group) {
		for _, b := range e.Plan.Buffers {
			if b.Space != plan.Output {
				g.Id(bufferName(b)).Op("=").Lit(b.Offset).Comment(fmt.Sprintf("%s [%d][%d]", b.Space, b.Rows, b.Stride))
			}
		}
	})
}

// bufferName is the constant that holds a buffer's offset.
func bufferName(b *plan.Buffer) string { return "at" + title(b.Name) }

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (e *emitter) blockType(f *jen.File, r run) {
	name := blockType(r.block)
	docf(f, "%s is the weights of %s and where its states begin in a sequence's block.", name, regions(r))
	f.Type().Id(name).StructFunc(func(g *jen.Group) {
		for i := range r.block.Weights {
			s := &r.block.Weights[i]
			g.Id(s.Name).Id(s.Storage.WeightType()).Comment(shapeOf(s))
		}
		for i := range r.block.States {
			s := &r.block.States[i]
			g.Id(s.Name).Int().Comment("state " + shapeOf(s))
		}
	})
}

// regions names the regions of a block.
func regions(r run) string {
	first, last := r.calls[0].Region, r.calls[len(r.calls)-1].Region
	if first == last {
		return fmt.Sprintf("region %s", plain(first))
	}
	return fmt.Sprintf("regions %s to %s", plain(first), plain(last))
}

// plain keeps of a name what cannot end a comment.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' {
			return c
		}
		return '_'
	}, s)
}

// shapeOf tells the packed shape of a slot.
func shapeOf(s *plan.Slot) string {
	rows := s.PaddedRows()
	switch s.Layout {
	case plan.Panels:
		if s.Storage == kernel.F32 {
			return fmt.Sprintf("[%d panels][%d][48]", rows/kernel.PanelRows, s.Columns)
		}
		if c, ok := s.Storage.Coded(); ok {
			return fmt.Sprintf("[%d panels] of %d columns in groups of %d, %s", rows/kernel.PanelRows, s.Columns, c.Group, s.Storage)
		}
		return fmt.Sprintf("[%d panels][%d pairs][48][2] %s", rows/kernel.PanelRows, (s.Columns+1)/2, s.Storage)
	case plan.Taps:
		return fmt.Sprintf("[%d][%d]", s.Columns, rows)
	case plan.Heads:
		n := len(s.Segments)
		return fmt.Sprintf("[%d heads][%d groups][%d][16]", n, rows/n/kernel.GroupChannels, s.Columns)
	case plan.Lanes:
		return fmt.Sprintf("[%d groups][%d][16]", rows/kernel.GroupChannels, s.Columns)
	}
	return fmt.Sprintf("[%d]", rows)
}

// blockTable emits the offsets of every region of a block: weights in bytes of
// the weights section, states in float32 of the state block.
func (e *emitter) blockTable(f *jen.File, r run) {
	columns := columnNames(r.block)
	list := strings.Join(columns, ", ")
	if list == "" {
		list = "there are none"
	}
	docf(f, "%s holds, per region, the first byte of each weight in the weights section and the\nfirst float32 of each state: %s.",
		tableName(r.block), list)
	f.Var().Id(tableName(r.block)).Op("=").Index(jen.Lit(len(r.calls))).Index(jen.Lit(len(columns))).Int().
		ValuesFunc(func(g *jen.Group) {
			for _, c := range r.calls {
				g.Line().ValuesFunc(func(row *jen.Group) {
					for _, w := range c.Weights {
						row.Lit(int(w.Offset))
					}
					for _, s := range c.States {
						row.Lit(s.Offset)
					}
				})
			}
			g.Line()
		})
}

func tableName(b *plan.Block) string { return b.Name + "Table" }

func columnNames(b *plan.Block) []string {
	var names []string
	for i := range b.Weights {
		names = append(names, b.Weights[i].Name)
	}
	for i := range b.States {
		names = append(names, b.States[i].Name)
	}
	return names
}

// bind emits the method that turns offsets into slices of the payload.
func (e *emitter) bind(f *jen.File) {
	f.Comment("bind points the tables at the weights.")
	f.Func().Params(jen.Id("p").Op("*").Id("program")).Id("bind").Params(jen.Id("weights").Index().Byte()).
		BlockFunc(func(g *jen.Group) {
			for _, r := range e.blocks() {
				if len(columnNames(r.block)) == 0 {
					continue
				}
				g.For(jen.List(jen.Id("i"), jen.Id("at")).Op(":=").Range().Id(tableName(r.block))).Block(
					jen.Id("p").Dot(r.block.Name).Index(jen.Id("i")).Op("=").Id(blockType(r.block)).Values(bindings(r.block)),
				)
			}
		})
}

// views are the functions of package payload that see bytes as another type.
var views = map[string]string{"[]float32": "Float32s", "[]uint16": "Uint16s"}

// bindings is the fields of one bound block.
func bindings(b *plan.Block) jen.Dict {
	d := jen.Dict{}
	for i := range b.Weights {
		s := &b.Weights[i]
		at := jen.Id("at").Index(jen.Lit(i))
		bytes := jen.Id("weights").Index(at.Clone(), at.Clone().Op("+").Lit(s.Elements*s.Storage.ElementBytes()))
		if view := views[s.Storage.WeightType()]; view != "" {
			bytes = jen.Qual(payloadPath, view).Call(bytes)
		}
		d[jen.Id(s.Name)] = bytes
	}
	for i := range b.States {
		d[jen.Id(b.States[i].Name)] = jen.Id("at").Index(jen.Lit(len(b.Weights) + i))
	}
	return d
}
