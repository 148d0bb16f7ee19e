package gosrc

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/mambac/mambac/codegen/plan"
)

// main emits the program's entry.
func (e *emitter) main(f *jen.File) {
	arguments := []jen.Code{jen.Id("Compiled").Call()}
	for _, name := range e.Commands {
		f.ImportName(appPath+"/"+name, name)
		arguments = append(arguments, jen.Qual(appPath+"/"+name, "Command"))
	}
	f.Func().Id("main").Params().Block(
		jen.Qual("os", "Exit").Call(jen.Qual(appPath, "Main").Call(arguments...)),
	)
}

// model emits the package comment, the description for the runtime, and the
// program type with its binding to weights.
func (e *emitter) model(f *jen.File) {
	packageComment(f, e.Doc)
	for _, name := range e.Runtime {
		f.Anon(runtimePath + name)
	}
	e.compiled(f)
	docf(f, "program is the model bound to its weights and to one level's kernels.")
	f.Type().Id("program").StructFunc(func(g *jen.Group) {
		g.Op("*").Id("kernels")
		g.Id("token").Index().Int32().Comment("the id of the decode at hand, for the first worker")
		for _, r := range e.blocks() {
			g.Id(r.block.Name).Index(jen.Lit(len(r.calls))).Id(blockType(r.block))
		}
	})
	f.Comment("Shape implements engine.Program.")
	f.Func().Params(jen.Op("*").Id("program")).Id("Shape").Params().Qual(enginePath, "Shape").Block(jen.Return(jen.Id("shape")))
	e.open(f)
}

// packageComment emits a package's comment, if there is one.
func packageComment(f *jen.File, doc string) {
	if doc == "" {
		return
	}
	for line := range strings.SplitSeq(strings.TrimSpace(doc), "\n") {
		if !strings.HasPrefix(line, "\t") {
			line = " " + line
		}
		f.PackageComment(strings.TrimRight("//"+line, " "))
	}
}

// compiled emits the shape and the function Compiled.
func (e *emitter) compiled(f *jen.File) {
	p := e.Plan
	logits := e.logitsBuffer()
	shape := jen.Dict{
		jen.Id("IDs"):        jen.Lit(p.IDs),
		jen.Id("Vocab"):      jen.Lit(p.Vocab),
		jen.Id("State"):      jen.Lit(p.State),
		jen.Id("Arena"):      jen.Lit(p.Arena),
		jen.Id("Scratch"):    jen.Lit(p.Private),
		jen.Id("Chunk"):      jen.Lit(p.Chunk),
		jen.Id("Block"):      jen.Lit(p.Block),
		jen.Id("LogitWidth"): jen.Lit(logits.Stride),
	}
	if len(p.Caches) > 0 {
		shape[jen.Id("Caches")] = cachesOf(p)
	}
	f.Comment("shape is the fixed sizes of the program.")
	f.Var().Id("shape").Op("=").Qual(enginePath, "Shape").Values(shape)
	fields := jen.Dict{
		jen.Id("Fingerprint"): jen.Lit(e.Fingerprint),
		jen.Id("Shape"):       jen.Id("shape"),
		jen.Id("Open"):        jen.Id("open"),
	}
	if len(p.Taps) > 0 {
		fields[jen.Id("Taps")] = e.taps()
	}
	if e.Chat != "" {
		fields[jen.Id("Chat")] = jen.Id(e.Chat)
	}
	f.Comment("Compiled describes the model to the runtime.")
	f.Func().Id("Compiled").Params().Op("*").Qual(enginePath, "Compiled").Block(
		jen.Id("c").Op(":=").Op("&").Qual(enginePath, "Compiled").Values(fields),
		jen.For(jen.List(jen.Id("_"), jen.Id("l")).Op(":=").Range().Id("levels")).Block(
			jen.Id("c").Dot("Levels").Op("=").Append(jen.Id("c").Dot("Levels"), jen.Id("l").Dot("Level")),
		),
		jen.Return(jen.Id("c")),
	)
}

func (e *emitter) logitsBuffer() *plan.Buffer {
	for _, b := range e.Plan.Buffers {
		if b.Space == plan.Output {
			return b
		}
	}
	panic("BUG: a plan without an output buffer")
}

// open emits the function that binds weights.
func (e *emitter) open(f *jen.File) {
	f.Comment("open binds the kernels of a level to the weights section of a payload.")
	f.Func().Id("open").Params(jen.Id("name").String(), jen.Id("weights").Index().Byte()).
		Params(jen.Qual(enginePath, "Program"), jen.Error()).Block(
		jen.If(jen.Len(jen.Id("weights")).Op("!=").Lit(int(e.Plan.Bytes))).Block(
			jen.Return(jen.Nil(), jen.Qual("fmt", "Errorf").Call(
				jen.Lit("weights hold %d bytes, want %d: the payload belongs to another program"),
				jen.Len(jen.Id("weights")), jen.Lit(int(e.Plan.Bytes)))),
		),
		jen.For(jen.Id("i").Op(":=").Range().Id("levels")).Block(
			jen.If(jen.Id("levels").Index(jen.Id("i")).Dot("Name").Op("==").Id("name")).Block(
				jen.Id("p").Op(":=").Op("&").Id("program").Values(jen.Dict{
					jen.Id("kernels"): jen.Op("&").Id("levels").Index(jen.Id("i")).Dot("kernels"),
					jen.Id("token"):   jen.Make(jen.Index().Int32(), jen.Lit(1)),
				}),
				jen.Id("p").Dot("bind").Call(jen.Id("weights")),
				jen.Return(jen.Id("p"), jen.Nil()),
			),
		),
		jen.Return(jen.Nil(), jen.Qual("fmt", "Errorf").Call(jen.Lit("this program holds no level %q"), jen.Id("name"))),
	)
}

// blockType is the Go type of a block's bound weights.
func blockType(b *plan.Block) string { return b.Name + "Block" }

// run is the calls of one block, in order.
type run struct {
	block *plan.Block
	calls []*plan.Call
}

// blocks groups the plan's calls by block.
func (e *emitter) blocks() []run {
	var list []run
	for _, b := range e.Plan.Blocks {
		r := run{block: b}
		for i := range e.Plan.Calls {
			if e.Plan.Calls[i].Block == b {
				r.calls = append(r.calls, &e.Plan.Calls[i])
			}
		}
		list = append(list, r)
	}
	return list
}
