// Package codegen compiles an optimised module into Go source, assembly and a
// plan of its weights; it wires lower, plan, target and gosrc, and never sees
// a checkpoint.
package codegen

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	_ "github.com/mambac/mambac/codegen/amd64" // registers its levels
	"github.com/mambac/mambac/codegen/gosrc"
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/codegen/template"
	"github.com/mambac/mambac/ir"
)

// Options say what to compile for.
type Options struct {
	// Package is the package name; "main" makes a program.
	Package string
	// Command made the files; it stands in their headers.
	Command string
	// Doc is the package comment.
	Doc string
	// Levels holds the levels to emit (see Levels); "generic" among them keeps
	// the twins as a level of their own. Keep says which of them.
	Levels []string
	Keep   Keep
	// Tests adds the kernel tests.
	Tests bool
	// Runtime names packages of the runtime that are linked for what they
	// register.
	Runtime []string
	// Commands names packages below runtime/app whose commands a program has.
	Commands []string
	// Chat is the chat templates that the program holds.
	Chat template.Set
	// Math is the arithmetic of products of matrices.
	Math lower.Math
	// Chunk overrides the number of tokens of a prefill call; 0 chooses.
	Chunk int
	// Tuning is what was measured of the kernels; nil for nothing.
	Tuning *target.Tuning
}

// Keep says which of the levels asked for are emitted.
type Keep int

// A level is better for a program if it has better code for one of its kernels
// than the levels below.
const (
	KeepAll    Keep = iota
	KeepBetter      // those that are better, and generic
	KeepBest        // the last of them
)

// Output is a compiled module. Its weights are packed by pack.Write.
type Output struct {
	Files       map[string][]byte // by name; without the API
	Plan        *plan.Plan
	Fingerprint string   // of the plan: ties code and payload
	Levels      []string // that were emitted, the least preferred first
	Tuning      string   // hash of the choices that were measured; "" for none

	options Options
}

// API emits the files that make the output a package to be called, of what a
// says of the payload.
func (o *Output) API(a *gosrc.API) (map[string][]byte, error) {
	a.Name, a.Header = o.options.Package, header(o.options.Command)
	return a.Files()
}

// Math is the arithmetic of the output: exact, or fast if any activation is
// quantised.
func (o *Output) Math() string {
	for _, s := range o.Plan.Specs() {
		if _, ok := s.(kernel.Quantise); ok {
			return "fast"
		}
	}
	return "exact"
}

// PayloadFile is the name of a package's payload beside its source.
func PayloadFile(pkg string) string { return gosrc.PayloadFile(pkg) }

// Compile lowers the module and emits every file of its package.
func Compile(m *ir.Module, o Options) (*Output, error) {
	p, err := lower.Lower(m, lower.Options{Chunk: o.Chunk, Math: o.Math})
	if err != nil {
		return nil, err
	}
	backends, generic, err := choose(o, p.Specs())
	if err != nil {
		return nil, err
	}
	tilings, tuned, err := tile(o.Tuning, backends, p)
	if err != nil {
		return nil, err
	}
	if tuned != "" {
		o.Command += " (tuning " + tuned + ")"
	}
	out := &Output{Plan: p, Fingerprint: fingerprint(p), Levels: names(backends, generic), Tuning: tuned, options: o}
	source := &gosrc.Package{
		Name: o.Package, Header: header(o.Command), Doc: o.Doc, Fingerprint: out.Fingerprint,
		Backends: backends, Tilings: tilings, Generic: generic, Tests: o.Tests, Runtime: o.Runtime, Commands: o.Commands, Plan: p,
	}
	if len(o.Chat.Templates) > 0 {
		source.Chat = template.Variable
	}
	if out.Files, err = source.Files(); err != nil || source.Chat == "" {
		return out, err
	}
	out.Files["chat.go"], err = o.Chat.File(o.Package, source.Header)
	return out, err
}

// Levels lists the names of every level that can be emitted for an
// architecture, "" for all, the least preferred first; generic is always there.
func Levels(goarch string) []string {
	return names(slices.DeleteFunc(target.Backends(), func(b target.Backend) bool {
		return goarch != "" && b.Level().GOARCH != goarch
	}), true)
}

// names lists the levels of back ends, and of the twins before them.
func names(backends []target.Backend, generic bool) []string {
	var list []string
	if generic {
		list = append(list, target.Generic)
	}
	for _, b := range backends {
		list = append(list, b.Level().Name)
	}
	return list
}

// Features lists what a CPU must have for a level.
func Features(level string) []string {
	if b, ok := target.Lookup(level); ok {
		return b.Level().Features
	}
	return nil
}

// choose finds the back ends of a program of some kernels, and whether the twins
// are a level of it.
func choose(o Options, specs []kernel.Spec) (list []target.Backend, generic bool, err error) {
	for _, name := range o.Levels {
		if name == target.Generic {
			generic = true
			continue
		}
		b, ok := target.Lookup(name)
		if !ok {
			return nil, false, fmt.Errorf("unknown CPU level %q; known are %s", name, strings.Join(Levels(""), ", "))
		}
		if o.Keep == KeepAll || slices.ContainsFunc(specs, b.Improves) {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, target.Compare)
	if n := len(list); o.Keep == KeepBest && n > 0 {
		return list[n-1:], false, nil
	}
	return list, generic, nil
}

// tile chooses the tiles of every level, and hashes the choices that were
// measured.
func tile(t *target.Tuning, backends []target.Backend, p *plan.Plan) (tilings map[string]target.Tiling, hash string, err error) {
	tilings = map[string]target.Tiling{}
	var measured []string
	for _, b := range backends {
		tiling, lines, err := t.Tiling(b, p.Specs(), p.Chunk)
		if err != nil {
			return nil, "", err
		}
		tilings[b.Level().Name] = tiling
		measured = append(measured, lines...)
	}
	if len(measured) > 0 {
		sum := sha256.Sum256([]byte(strings.Join(measured, "\n")))
		hash = hex.EncodeToString(sum[:4])
	}
	return tilings, hash, nil
}

// header is the first line of every file; the command cannot break out of it.
func header(command string) string {
	command = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029 {
			return '_'
		}
		return r
	}, command)
	return "Code generated by " + command + "; DO NOT EDIT."
}

func fingerprint(p *plan.Plan) string {
	sum := sha256.Sum256([]byte(plan.Format(p)))
	return hex.EncodeToString(sum[:16])
}
