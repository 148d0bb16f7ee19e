package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/codegen/gobuild"
	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/codegen/target"
	"github.com/mambac/mambac/runtime/cpu"
	api "github.com/mambac/mambac/runtime/model"
)

// tuneFlags say whether tiles are chosen by measurement.
type tuneFlags struct {
	tune       bool
	tuningFile string
	tuning     *target.Tuning // nil: nothing is measured
}

func (f *tuneFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.tune, "tune", false, "measure on this machine in what form products of matrices are fastest, once for each processor and shape; the user's cache keeps it")
	flags.StringVar(&f.tuningFile, "tuning", "", "take what --tune has measured from this file, on any machine")
}

// checkTuning tells of wrong usage.
func (o *choice) checkTuning() error {
	switch {
	case !o.tune:
		return nil
	case o.tuningFile != "":
		return usagef("--tune and --tuning: want one of them")
	case o.platform != platform() && o.platform != anyPlatform:
		return usagef("--tune measures on this machine, a program for %s runs on another; tune there and give the file to --tuning", o.platform)
	}
	if missing := missingFeatures(o.cpu); len(missing) > 0 {
		return usagef("--tune measures on this machine, whose processor lacks %s for level %s; tune where it runs and give the file to --tuning", strings.Join(missing, ", "), o.cpu)
	}
	return nil
}

// prepareTuning reads what was measured, and measures what is missing if that
// is wanted.
func (o *choice) prepareTuning(ctx context.Context, m *model, measure bool, p progress) error {
	if o.tuningFile != "" {
		var err error
		o.tuning, err = readTuning(o.tuningFile, "make one with --tune")
		return err
	}
	if !o.tune {
		return nil
	}
	file, err := tuningCache()
	if err != nil {
		return err
	}
	o.tuning, err = readTuning(file, "remove it, and --tune measures again")
	if errors.Is(err, fs.ErrNotExist) {
		o.tuning, err = target.NewTuning(cpu.Model()), nil
	}
	if err != nil || !measure {
		return err
	}
	return o.measureMissing(ctx, m, file, p)
}

// tuningCache is the file of this processor in the user's cache.
func tuningCache() (string, error) {
	payloads, err := api.CacheFolder()
	if err != nil {
		return "", fmt.Errorf("no place for what --tune measures: %w", err)
	}
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, cpu.Model())
	return filepath.Join(filepath.Dir(payloads), "tuning", name+".json"), nil
}

func readTuning(file, remedy string) (*target.Tuning, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	t, err := target.ParseTuning(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; %s", file, err, remedy)
	}
	return t, nil
}

// measureMissing completes a tuning for a model and writes it to its file.
func (o *choice) measureMissing(ctx context.Context, m *model, file string, p progress) error {
	module, err := o.passes(m)
	if err != nil {
		return err
	}
	levels := slices.DeleteFunc(o.levels(), func(level string) bool { return len(missingFeatures(level)) > 0 })
	x, err := codegen.Measure(module, codegen.Options{
		Command: "mambac " + version + " tune", Levels: levels, Keep: o.keep(), Math: lower.Math(o.math), Tuning: o.tuning,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", m.checkpoint.Path, err)
	}
	if len(x.Kernels) == 0 {
		return nil
	}
	if err := scratch(func(folder string) error { return o.measure(ctx, x, filepath.Join(folder, executableName("tune")), p) }); err != nil {
		return err
	}
	text, err := o.tuning.Format()
	if err != nil {
		return err
	}
	if err := makeFolders(filepath.Dir(file)); err != nil {
		return err
	}
	return writeFile(file, text)
}

// measure builds the measuring program at a path and runs it for each kernel.
func (o *choice) measure(ctx context.Context, x *codegen.Measurement, path string, p progress) error {
	o.awaitWarm()
	g, err := o.toolchain()
	if err != nil {
		return err
	}
	g.Files, g.Output = x.Files, path
	err = during(p, "go build of what is measured", 0, func(func(int64)) error { return gobuild.Build(ctx, g) })
	for i, name := range x.Kernels {
		if err != nil {
			return err
		}
		err = during(p, "tune "+name, 0, func(func(int64)) error {
			cmd := exec.CommandContext(ctx, path, strconv.Itoa(i))
			stopGently(cmd)
			printed, err := cmd.Output()
			if err != nil {
				return errors.Join(ctx.Err(), fmt.Errorf("measuring %s: %w", name, err))
			}
			return x.Add(o.tuning, i, printed)
		})
	}
	return err
}
