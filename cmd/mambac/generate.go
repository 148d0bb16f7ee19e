package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"go/token"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/codegen/gosrc"
	api "github.com/mambac/mambac/runtime/model"
	"github.com/mambac/mambac/runtime/payload"
)

// notImported are identifiers that Go does not import a package as.
var notImported = []string{"_", "init", "main"}

// generateFlags is what the flags of generate say.
type generateFlags struct {
	choice
	with              []string // of commands, which a package has none of
	pkg, dir, payload string
	embed             bool
	json              bool
}

// embedBytes is the size up to which a payload becomes part of the package
// where no flag says otherwise: what a repository holds without pain.
const embedBytes = 32 << 20

// mostEmbedded is what the toolchain embeds without trouble.
const mostEmbedded = 1 << 30

func newGenerate(c *console) *cobra.Command {
	var f generateFlags
	cmd := &cobra.Command{
		Use:   "generate CHECKPOINT --package NAME --dir FOLDER",
		Short: "Write the Go package that build would compile",
		Long: `Writes a Go package for other programs to import: the model as Go and assembly,
an API (Open, NewSession, Generate, Save, …), a test of every kernel, and
examples. The package needs the runtime of mambac, as module
github.com/mambac/mambac, and the standard library.

A small payload (weights, tokenizer) becomes part of the package by go:embed. A
larger one goes to the user's cache, where the package finds it by its hash, or
to the file that --payload names.

In a folder that exists, files that an earlier run made are replaced or removed,
and those that would be the same are not touched; others stay, and are an error
where one is in the way.`,
		Example: `  //go:generate go tool mambac generate ../checkpoint --package tiny --dir tiny
  mambac generate ./my-checkpoint --package tiny --dir internal/tiny
  mambac generate ./my-checkpoint --package big --dir big --payload big.payload`,
		Args: exactly(1, "CHECKPOINT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGenerate(cmd.Context(), c, &f, args[0], arguments(cmd))
		},
	}
	f.registerPasses(cmd)
	f.registerCalibration(cmd)
	f.registerLevels(cmd, "all")
	f.platform = anyPlatform
	f.tuneFlags.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.pkg, "package", "", "name of the package")
	flags.StringVar(&f.dir, "dir", "", "folder for its files")
	flags.BoolVar(&f.embed, "embed", false, "make the payload part of the package whatever its size")
	flags.StringVar(&f.payload, "payload", "", "put the payload into this file")
	flags.BoolVar(&f.json, "json", false, "print the files as one JSON object")
	// Who knows build will try it.
	flags.StringSliceVar(&f.with, "with", nil, "")
	if err := flags.MarkHidden("with"); err != nil {
		panic("BUG: " + err.Error())
	}
	return cmd
}

// telling are the flags that change what is generated.
var telling = []string{"package", "embed", "weights", "calibrate", "cpu", "math", "cache", "disable-pass"}

// arguments prints those that were given, for the headers of the files.
func arguments(cmd *cobra.Command) string {
	var b strings.Builder
	for _, name := range append(optionNames(), telling...) {
		f := cmd.Flags().Lookup(name)
		if !f.Changed {
			continue
		}
		b.WriteString(" --" + name)
		switch {
		case name == "calibrate": // folders differ between machines
			b.WriteString(" " + filepath.Base(f.Value.String()))
		case f.Value.Type() != "bool":
			b.WriteString(" " + f.Value.String())
		}
	}
	return b.String()
}

func (f *generateFlags) check() error {
	switch {
	case len(f.with) > 0:
		return usagef("--with %s: a package is an API and has no commands; mambac build --with %[1]s makes a program that has", strings.Join(f.with, ","))
	case f.pkg == "":
		return usagef("--package is missing")
	case f.dir == "":
		return usagef("--dir is missing")
	case f.embed && f.payload != "":
		return usagef("--embed and --payload: want one of them")
	case !token.IsIdentifier(f.pkg) || slices.Contains(notImported, f.pkg):
		return usagef("--package %s: want the name of a Go package that others can import", f.pkg)
	}
	return f.choice.check()
}

func runGenerate(ctx context.Context, c *console, f *generateFlags, argument, flags string) error {
	if err := f.check(); err != nil {
		return err
	}
	m, err := c.openForProgram(argument, f.options())
	if err != nil {
		return err
	}
	defer m.close()
	if err := m.refuseOutputs(output{"--payload", f.payload}, output{"--calibrate", f.text}); err != nil {
		return err
	}
	p := c.progress(f.json)
	defer p.end()
	end, err := f.prepare(ctx, m, false, p)
	if err != nil {
		return err
	}
	defer end()
	out, err := f.compile(m, codegen.Options{Package: f.pkg, Tests: true}, "generate "+m.name+flags)
	if err != nil {
		return err
	}
	if f.embed && out.Plan.Bytes > mostEmbedded {
		return usagef("--embed: the weights are %s, want at most %s; use --payload FILE", formatBytes(out.Plan.Bytes), formatBytes(mostEmbedded))
	}
	g := &generated{generateFlags: f, compiled: out, command: f.again(m.name + flags), progress: p}
	err = g.write(ctx)
	p.end()
	if err != nil {
		return err
	}
	return g.print(c)
}

// again is the command that makes the package and its payload, for the error of
// a missing one. Folders differ between machines, a package must not.
func (f *generateFlags) again(arguments string) string {
	command := "mambac generate " + arguments + " --dir FOLDER"
	if f.payload != "" {
		command += " --payload FILE"
	}
	return command
}

// generated is a package on its way into its folder.
type generated struct {
	*generateFlags
	*compiled
	command  string // makes it again
	progress progress
	place    string // of the payload
	digest   string // of the payload
	files    []string
}

// write makes the package and its payload appear, both or none.
func (g *generated) write(ctx context.Context) error {
	// A checkout has no folder whose files are all generated and not checked in.
	if err := makeFolders(filepath.Dir(filepath.Clean(g.dir))); err != nil {
		return err
	}
	switch {
	case g.payload != "":
		g.place = g.payload
		if err := requirePayload(g.place); err != nil {
			return err
		}
		if err := requireSpace(g.place, g.Plan.Bytes); err != nil {
			return err
		}
		return renewFile(g.place, func(path string) error { return g.writeApart(ctx, path) })
	case g.embed || g.Plan.Bytes <= embedBytes:
		g.embed, g.place = true, filepath.Join(g.dir, codegen.PayloadFile(g.pkg))
		if err := requireSpace(g.dir, g.Plan.Bytes); err != nil {
			return err
		}
		return replacePackage(ctx, g.dir, "", func(add adder) error {
			w, err := add(codegen.PayloadFile(g.pkg))
			if err != nil {
				return err
			}
			return g.writeAll(ctx, w, add)
		})
	}
	return g.writeCached(ctx)
}

// writeApart writes the payload to path and the package to its folder.
func (g *generated) writeApart(ctx context.Context, path string) error {
	return replacePackage(ctx, g.dir, g.payload, func(add adder) error {
		w, err := create(ctx, path, nil)
		if err != nil {
			return err
		}
		return g.writeAll(ctx, w, add)
	})
}

// writeCached writes the payload to the user's cache, named by its hash.
func (g *generated) writeCached(ctx context.Context) error {
	folder, err := api.CacheFolder()
	if err != nil {
		return fmt.Errorf("no place for the payload: %w; use --payload FILE or --embed", err)
	}
	if err := makeFolders(folder); err != nil {
		return err
	}
	if err := requireSpace(filepath.Join(folder, "payload"), g.Plan.Bytes); err != nil {
		return err
	}
	return replaceNamed(folder, func(path string) (string, error) {
		err := g.writeApart(ctx, path)
		g.place = filepath.Join(folder, g.digest+payload.Ext)
		return g.place, err
	})
}

// writeAll writes the payload to w, which it closes, and then the files of the
// package, which know the payload's digest.
func (g *generated) writeAll(ctx context.Context, w io.WriteCloser, add adder) error {
	digest, err := g.writePayload(ctx, w, 0, g.sharedMetadata(), g.progress)
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	g.digest = hex.EncodeToString(digest[:])
	files, err := g.API(&gosrc.API{Doc: g.doc(), Digest: g.digest, Command: g.command, Embed: g.embed})
	if err != nil {
		return err
	}
	maps.Copy(files, g.Files)
	g.files = slices.Sorted(maps.Keys(files))
	for _, name := range g.files {
		w, err := add(name)
		if err != nil {
			return err
		}
		_, err = w.Write(files[name])
		if err := errors.Join(err, w.Close()); err != nil {
			return err
		}
	}
	return nil
}

// doc is the package comment: what it is, and the model's card.
func (g *generated) doc() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Package %s is a %s model compiled by mambac. Open it, and its sessions read\n", g.pkg, g.Family)
	b.WriteString("and continue text at constant speed and memory, however long the text.\n\n")
	// go doc does not show the methods of a type of another package.
	b.WriteString("The methods of its types: go doc github.com/mambac/mambac/runtime/model.Session\nand so on.\n\n")
	s := measure(g.module)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "\t%-24s%s\n", name, fmt.Sprintf(format, args...))
	}
	line("parameters", "%d", s.Parameters)
	for _, f := range g.card() {
		line(f.Name, "%s", f.Value)
	}
	line("weights", "%s (%s), %s math", g.weights, formatBytes(s.WeightBytes), g.math)
	line("state", "%s a session", formatBytes(s.StateBytes))
	if g.cache != "" {
		line("caches", "%s for every token, in %s", formatBytes(s.CacheBytes), g.cache)
	}
	line("levels", "%s", strings.Join(g.levels, ", "))
	if g.Tuning != "" {
		line("tuned", "as measured (%s)", g.Tuning)
	}
	line("fingerprint", "%s", g.Fingerprint)
	return b.String()
}

func (g *generated) print(c *console) error {
	if g.json {
		return c.printJSON(map[string]any{
			"package": g.pkg, "dir": g.dir, "files": g.files, "payload": g.place, "embedded": g.embed, "family": g.Family,
			"levels": g.levels, "weights": g.weights, "math": g.math, "kernels": len(g.Plan.Specs()),
		})
	}
	where := "embedded"
	if !g.embed {
		where = "in " + g.place
	}
	_, err := fmt.Fprintf(c.out, "%s: package %s, %s, %s, weights %s, %d files; payload of %s %s\n",
		g.dir, g.pkg, g.Family, strings.Join(g.levels, " "), g.weights, len(g.files), formatBytes(g.Plan.Bytes), where)
	return err
}
