package gosrc

import "github.com/dave/jennifer/jen"

// embed emits the payload, a file beside the source, as part of the package.
func (e *emitter) embed(f *jen.File) {
	f.Anon("embed")
	f.Comment("//go:embed " + e.Embed)
	f.Var().Id("payloadFile").Index().Byte()
	docf(f, "Payload opens the weights, the tokenizer and the metadata, which are part of the program.")
	f.Func().Id("Payload").Params().Params(jen.Op("*").Qual(payloadPath, "Payload"), jen.Error()).Block(
		jen.Return(jen.Qual(payloadPath, "FromBytes").Call(jen.Lit(e.Embed), jen.Id("payloadFile"))),
	)
}
