package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// imageFlags is what the flags of image say.
type imageFlags struct {
	choice
	reportFlags
	out     string
	json    bool
	targets []string
}

// imageTargets are what an image is for by default.
var imageTargets = []string{"linux/amd64", "linux/arm64"}

func newImage(c *console) *cobra.Command {
	var f imageFlags
	cmd := &cobra.Command{
		Use:   "image CHECKPOINT -o FILE.tar|FOLDER",
		Short: "Write an OCI image that holds the program and nothing else",
		Long: `Compiles a checkpoint for Linux on several processors and writes one OCI image
for all of them, without Docker: an archive if the name ends in .tar, a layout
folder otherwise. An image has three layers: the weights, which are the same for
every processor and every version of the program; the program; an SBOM and, with
--report, the equivalence report. Two runs give the same bytes.`,
		Example: `  mambac image ./my-checkpoint -o my-model.tar
  podman load -i my-model.tar
  mambac image ./my-checkpoint -o layout --target linux/amd64 --weights bf16`,
		Args: exactly(1, "CHECKPOINT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.targets = chosenTargets(cmd, imageTargets)
			return runImage(cmd.Context(), c, &f, args[0])
		},
	}
	f.registerPasses(cmd)
	f.registerCalibration(cmd)
	f.registerLevels(cmd, "native")
	flags := cmd.Flags()
	flags.StringVar(&f.platform, "target", strings.Join(imageTargets, ","), "list of "+strings.Join(linuxTargets(), ", "))
	choices(cmd, "target", linuxTargets()...)
	flags.StringVarP(&f.out, "out", "o", "", "name of the archive or the folder")
	f.reportFlags.register(cmd, ", and into the image")
	f.featureFlags.register(cmd)
	flags.BoolVar(&f.json, "json", false, "print digests and sizes as one JSON object")
	return cmd
}

// linuxTargets are those of which there are containers.
func linuxTargets() []string {
	var list []string
	for _, t := range targets() {
		if strings.HasPrefix(t, "linux/") {
			list = append(list, t)
		}
	}
	return list
}

func (f *imageFlags) check() error {
	if f.out == "" {
		return usagef("-o is missing: the name of the archive or the folder")
	}
	for _, t := range f.targets {
		if err := oneOf("target", t, linuxTargets()...); err != nil {
			return err
		}
	}
	if err := f.checkSeveral(f.targets); err != nil {
		return err
	}
	return f.reportFlags.check(&f.choice)
}

func runImage(ctx context.Context, c *console, f *imageFlags, argument string) error {
	if err := f.check(); err != nil {
		return err
	}
	m, err := c.openForProgram(argument, f.options())
	if err != nil {
		return err
	}
	defer m.close()
	if err := m.refuseOutputs(output{"-o", f.out}, output{"--report", f.report}, output{"--report-text", f.reportText}, output{"--calibrate", f.text}); err != nil {
		return err
	}
	p := c.progress(f.json)
	defer p.end()
	end, err := f.calibrate(ctx, m, p)
	if err != nil {
		return err
	}
	defer end()
	made, err := f.make(ctx, m, p)
	if err != nil {
		return err
	}
	p.end()
	return f.print(c, made)
}

// make compiles for all targets and writes the image.
func (f *imageFlags) make(ctx context.Context, m *model, p progress) (*imaged, error) {
	codes, err := f.compileSeveral(m, f.targets, "image")
	if err != nil {
		return nil, err
	}
	b := &imageBuilder{flags: f, model: m, codes: codes}
	// The weights are there twice while the layout is made, thrice with an archive.
	if err := requireSpace(f.out, 3*b.codes[0].Plan.Bytes+int64(len(b.codes))*executableBytes); err != nil {
		return nil, err
	}
	if f.report != "" {
		if b.report, err = f.equivalenceHere(ctx, &f.choice, m, p); err != nil {
			return nil, err
		}
	}
	if err := f.place(ctx, b, p); err != nil || b.report == nil {
		return &b.made, err
	}
	return &b.made, f.reportFlags.write(b.report)
}

// place has the image made where it belongs, as a folder or an archive.
func (f *imageFlags) place(ctx context.Context, b *imageBuilder, p progress) error {
	if !strings.HasSuffix(f.out, ".tar") {
		b.made.Format = "layout"
		return replaceFolder(f.out, func(path string) error { return b.layout(ctx, path, path, p) })
	}
	b.made.Format = "archive"
	return replaceFile(f.out, func(path string) error {
		folder := path + ".layout"
		if err := b.layout(ctx, path, folder, p); err != nil {
			return err
		}
		return during(p, "archive", 0, func(func(int64)) error { return archiveFolder(ctx, path, folder) })
	})
}

// imaged is the object of image --json.
type imaged struct {
	Path     string          `json:"path"`
	Format   string          `json:"format"` // layout or archive
	Name     string          `json:"name"`
	Family   string          `json:"family"`
	Digest   string          `json:"digest"`
	Programs []imagedProgram `json:"images"`
	Weights  imagedLayer     `json:"weights_layer"`
}

type imagedProgram struct {
	Target  string      `json:"target"`
	Levels  []string    `json:"levels"`
	Digest  string      `json:"digest"`
	Program imagedLayer `json:"program_layer"`
}

type imagedLayer struct {
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
}

func (f *imageFlags) print(c *console, made *imaged) error {
	made.Path = f.out
	if f.json {
		return c.printJSON(made)
	}
	t := &table{}
	t.line(filepath.Base(made.Path), "OCI %s of %s, %s", made.Format, made.Name, made.Digest)
	t.line("weights layer", "%s, %s", formatBytes(made.Weights.Size), made.Weights.Digest)
	for _, e := range made.Programs {
		t.line(e.Target, "%s, %s, %s", strings.Join(e.Levels, " "), formatBytes(e.Program.Size), e.Digest)
	}
	if err := t.print(c.out); err != nil {
		return fmt.Errorf("%s: %w", f.out, err)
	}
	return nil
}
