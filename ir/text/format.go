// Package text is the readable form of a module: what Format prints, Parse
// reads. It sees ir and op.
//
// One statement stands on a line; # begins a comment. Names of other than
// letters, digits and _.- are Go strings.
//
//	module mamba
//	param @embeddings [160 32] bf16 storage=bf16
//	param @layers.0.A_log [64 16] f32 neg_exp
//	state $layers.0.conv window [64 3]
//	state $layers.1.keys cache [2 16] back=4096
//	input %ids: id[T]
//	region layers.0 {
//	  %v1: f32[T,32] = rmsnorm(%v0) [@layers.0.norm] {eps=1e-05}
//	  %v2: f32[T,64] = conv(%v1) [@w, none] <$layers.0.conv> {taps=4 activation="silu"}
//	}
//	tap %v1
//	return %v2
package text

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mambac/mambac/ir"
)

// Format prints a module that verifies.
func Format(m *ir.Module) string {
	var b strings.Builder
	fmt.Fprintf(&b, "module %s\n", quote(m.Name))
	for _, p := range m.Params {
		b.WriteString(formatParam(p))
	}
	for _, s := range m.States {
		fmt.Fprintf(&b, "state $%s %s %v%s\n", quote(s.Name), quote(string(s.Kind)), s.Shape, formatWindow(s))
	}
	fmt.Fprintf(&b, "input %%%s: %v\n", quote(m.Input.Name), m.Input.Type)
	for _, r := range m.Regions {
		fmt.Fprintf(&b, "region %s {\n", quote(r.Name))
		for _, v := range r.Body {
			fmt.Fprintf(&b, "  %s\n", formatValue(v))
		}
		b.WriteString("}\n")
	}
	for _, v := range m.Taps {
		fmt.Fprintf(&b, "tap %%%s\n", quote(v.Name))
	}
	fmt.Fprintf(&b, "return %%%s\n", quote(m.Output.Name))
	return b.String()
}

func formatParam(p *ir.Param) string {
	line := fmt.Sprintf("param @%s %v %v", quote(p.Name), p.Shape, p.DType)
	if p.Transform != ir.Identity {
		line += " " + quote(string(p.Transform))
	}
	if p.Storage != "" {
		line += " storage=" + quote(p.Storage)
	}
	return line + "\n"
}

func formatValue(v *ir.Value) string {
	args := list(v.Args, func(a *ir.Value) string { return "%" + quote(a.Name) })
	line := fmt.Sprintf("%%%s: %v = %s(%s)", quote(v.Name), v.Type, v.Op.OpName(), args)
	if len(v.Params) > 0 {
		line += " [" + list(v.Params, formatUse) + "]"
	}
	if len(v.States) > 0 {
		line += " <" + list(v.States, func(s *ir.State) string { return "$" + quote(s.Name) }) + ">"
	}
	if a := formatAttributes(v.Op); a != "" {
		line += " {" + a + "}"
	}
	return line
}

// formatUse prints a parameter that may be left out.
func formatUse(p *ir.Param) string {
	if p == nil {
		return "none"
	}
	return "@" + quote(p.Name)
}

func list[T any](items []T, format func(T) string) string {
	parts := make([]string, len(items))
	for i, item := range items {
		parts[i] = format(item)
	}
	return strings.Join(parts, ", ")
}

// quote prints a name bare if the parser takes it for one word.
func quote(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return strconv.Quote(s)
	}
	return s
}

func plain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '.' || r == '-'
}

// formatWindow says how far back a cache is read, unless it is all of it.
func formatWindow(s *ir.State) string {
	if s.Window == 0 {
		return ""
	}
	return " back=" + strconv.Itoa(s.Window)
}
