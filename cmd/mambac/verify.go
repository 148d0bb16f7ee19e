package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mambac/mambac/codegen"
)

// requireEnv names the environment variable that makes a missing level an
// error.
const requireEnv = "MAMBAC_REQUIRE_LEVEL"

// verifyFlags is what the flags of verify say.
type verifyFlags struct {
	choice
	reference string
	tokens    int
	seed      uint64
	json      bool
}

// maxTokens bounds the ids, for the logits of all of them are held.
const maxTokens = 4096

func newVerify(c *console) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify CHECKPOINT",
		Short: "Prove that the compiled model computes what it should",
		Long: `Climbs the ladder of correctness: the slow evaluator against a reference, then
a program built for the checkpoint, at the generic level and at each CPU level
that this machine has, by decode and by prefill. Logits must agree within a
relative error of 1e-5 (evaluator) or 2e-5 (program), and every greedy token
must be equal; exit status 1 if a rung fails. A format that rounds the weights
gets a rung that says what that costs, and the program is held against the
evaluator on the rounded weights. With fast math, a rung says what rounding of
activations costs, and the program is held against an evaluator that does it:
within 2e-5 until both may have rounded one differently, and then within three
times that cost; greedy tokens are told. --math exact is the strict check of
weights and plan.

A reference is a safetensors file with input_ids, logits and, if you have them,
greedy (the ids that follow). Without one the evaluator on seeded ids is it.`,
		Example: `  mambac verify ./my-checkpoint
  mambac verify ./my-checkpoint --reference golden.safetensors --json
  mambac verify ./my-checkpoint --cpu v3 --weights bf16`,
		Args: exactly(1, "CHECKPOINT"),
		RunE: func(cmd *cobra.Command, args []string) error { return runVerify(cmd.Context(), c, &f, args[0]) },
	}
	f.registerPasses(cmd)
	f.registerCalibration(cmd)
	f.registerLevels(cmd, "all")
	flags := cmd.Flags()
	flags.StringVar(&f.reference, "reference", "", "output of another implementation")
	flags.IntVar(&f.tokens, "tokens", checkTokens, fmt.Sprintf("number of seeded ids, at most %d", maxTokens))
	flags.Uint64Var(&f.seed, "seed", checkSeed, "seed of the ids")
	flags.BoolVar(&f.json, "json", false, "print the rungs as one JSON object")
	return cmd
}

func (f *verifyFlags) check() error {
	if f.tokens < 1 || f.tokens > maxTokens {
		return usagef("--tokens %d: want 1 to %d", f.tokens, maxTokens)
	}
	if err := f.choice.check(); err != nil {
		return err
	}
	if f.cpu != "all" && f.cpu != "native" {
		return requireLevel(f.cpu)
	}
	if level := os.Getenv(requireEnv); level != "" {
		if !slices.Contains(codegen.Levels(runtime.GOARCH), level) {
			return fmt.Errorf("%s: there is no level %s for %s", requireEnv, level, runtime.GOARCH)
		}
		return requireLevel(level)
	}
	return nil
}

// requireLevel fails on a level that this processor cannot run.
func requireLevel(level string) error {
	if missing := missingFeatures(level); len(missing) > 0 {
		return fmt.Errorf("level %s cannot run here: this processor lacks %s", level, strings.Join(missing, ", "))
	}
	return nil
}

func runVerify(ctx context.Context, c *console, f *verifyFlags, argument string) error {
	if err := f.check(); err != nil {
		return err
	}
	m, err := openModel(argument, f.options())
	if err != nil {
		return err
	}
	defer m.close()
	p := c.progress(f.json)
	defer p.end()
	end, err := f.calibrate(ctx, m, p)
	if err != nil {
		return err
	}
	defer end()
	out, err := f.compile(m, codegen.Options{Package: "main", Doc: programDoc(m)}, "verify")
	if err != nil {
		return err
	}
	l, err := f.ladder(out)
	if err != nil {
		return err
	}
	var found *equivalence
	err = scratch(func(folder string) (err error) {
		found, err = l.climb(ctx, filepath.Join(folder, executableName("model")), p)
		return err
	})
	p.end()
	if err != nil {
		return err
	}
	if f.json {
		err = c.printJSON(found)
	} else {
		err = found.print(c)
	}
	if err == nil && !found.OK {
		err = fmt.Errorf("%s: %d rungs of %d failed", argument, found.failed(), len(found.Rungs))
	}
	return err
}

// ladder decides what is fed to all rungs.
func (f *verifyFlags) ladder(c *compiled) (*ladder, error) {
	l := &ladder{choice: &f.choice, compiled: c, greedy: checkGreedy}
	if f.reference == "" {
		tokens := f.tokens
		if tokens == checkTokens { // nobody asked for more than there is room for
			tokens, l.greedy = c.fit(tokens, l.greedy)
		}
		l.ids = seededIDs(f.seed, tokens, c.Plan.Vocab)
		return l, c.refuseLonger(fmt.Sprintf("--tokens %d and the %d that follow", tokens, l.greedy), int64(tokens+l.greedy-1))
	}
	x, err := readReference(f.reference)
	if err != nil {
		return nil, err
	}
	if x.vocabulary != c.Plan.Vocab {
		return nil, fmt.Errorf("%s: logits: have %d columns, want %d (rows of the embedding); is it from this checkpoint?", f.reference, x.vocabulary, c.Plan.Vocab)
	}
	l.reference, l.ids, l.greedy = x, x.ids, len(x.greedy)
	return l, nil
}
