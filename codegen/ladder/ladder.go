// Package ladder proves that what is generated from a module computes what the
// evaluator does: on the twins, on every level of this machine, with any
// number of threads and however a sequence is fed. Tests import it; it sees
// codegen and ir.
package ladder

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/codegen/lower"
	"github.com/mambac/mambac/codegen/pack"
	"github.com/mambac/mambac/codegen/plan"
	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/runtime/payload"
)

// Case is a module to be compiled, and one sequence to feed.
type Case struct {
	Name   string
	Module *ir.Module // its parameters have values
	IDs    []int
	Passes pass.Options
	Chunk  int // tokens of a prefill call; 0 chooses
	Math   lower.Math
}

// RequireSame compiles all cases into one program, runs it, and fails where
// logits differ: from the evaluator's by more than the tolerance, and by a bit
// within a level or between the levels that have assembly.
func RequireSame(t *testing.T, cases ...Case) {
	t.Helper()
	requireSame(t, machine{goarch: runtime.GOARCH}, cases)
}

// RequireSameEmulated is RequireSame for the levels of another architecture,
// whose programs an emulator runs.
func RequireSameEmulated(t *testing.T, goarch, emulator string, cases ...Case) {
	t.Helper()
	requireSame(t, machine{goarch: goarch, emulator: emulator}, cases)
}

// RequireSameInterpreted is RequireSame for levels whose kernels are run by the
// interpreter of their instructions, whatever this machine has, beside those
// that it runs itself.
func RequireSameInterpreted(t *testing.T, i Interpretation, cases ...Case) {
	t.Helper()
	requireSame(t, machine{goarch: runtime.GOARCH, Interpretation: i}, cases)
}

func requireSame(t *testing.T, m machine, cases []Case) {
	t.Helper()
	dir := t.TempDir()
	var expected []expectation
	for i, c := range cases {
		e, err := m.emit(dir, i, c)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		expected = append(expected, e)
	}
	if err := m.execute(dir, len(cases)); err != nil {
		t.Fatal(err)
	}
	for i, e := range expected {
		t.Run(cases[i].Name, func(t *testing.T) {
			base := filepath.Join(dir, fmt.Sprint(i))
			e.compare(t, base)
			m.requireInterpreted(t, base)
		})
	}
}

// emit writes the package and the payload of case i, and evaluates it.
func (m machine) emit(dir string, i int, c Case) (expectation, error) {
	module, err := pass.Run(c.Module, c.Passes)
	if err != nil {
		return expectation{}, err
	}
	out, err := codegen.Compile(module, codegen.Options{
		Package: packageName(i), Command: "codegen/ladder", Levels: m.emitted(), Keep: codegen.KeepBetter, Chunk: c.Chunk, Math: c.Math,
	})
	if err != nil {
		return expectation{}, err
	}
	if m.Levels != nil {
		out.Files["interpreted.go"] = []byte(m.interpretation(packageName(i), out.Plan))
	}
	base := filepath.Join(dir, fmt.Sprint(i))
	e, err := evaluate(module, out.Math(), c.IDs)
	e.input = fmt.Sprintf("passes %+v, math %s, chunk %d, ids %v", c.Passes, out.Math(), out.Plan.Chunk, c.IDs)
	if e.apart = rounds(out.Plan); e.apart {
		e.sure, e.loose = 0, roundedTolerance
	}
	return e, errors.Join(err,
		writeFiles(filepath.Join(dir, packageName(i)), out.Files),
		writePayload(base+".payload", out),
		os.WriteFile(base+".ids", []byte(strings.Trim(fmt.Sprint(c.IDs), "[]")), 0o666))
}

// rounds reports whether a plan multiplies inputs rounded to bf16.
func rounds(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Specs(), func(s kernel.Spec) bool {
		q, ok := s.(kernel.Quantise)
		return ok && q.Storage == kernel.BF16
	})
}

func packageName(i int) string { return fmt.Sprintf("model%d", i) }

func writeFiles(dir string, files map[string][]byte) error {
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

func writePayload(path string, out *codegen.Output) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := payload.NewWriter(f, 0)
	meta, err := (&payload.Metadata{}).Encode()
	if err == nil {
		err = w.Section(payload.MetadataSection)
	}
	if err == nil {
		_, err = w.Write(meta)
	}
	if err == nil {
		err = w.Section(payload.WeightsSection)
	}
	if err == nil {
		err = pack.Write(context.Background(), w, out.Plan, nil)
	}
	return errors.Join(err, w.Close(), f.Close())
}

// compare checks every file of logits that the program left for one case.
func (e expectation) compare(t *testing.T, base string) {
	t.Logf("%s", e.input)
	files, err := filepath.Glob(base + ".*.*.*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no logits: %v", err)
	}
	first := map[string][]float32{} // by kind of arithmetic
	for _, path := range files {
		rung := strings.TrimPrefix(path, base+".")
		logits, err := readFloats(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.check(logits); err != nil {
			t.Errorf("%s: %v", rung, err)
		}
		level, _, _ := strings.Cut(rung, ".")
		arithmetic := "assembly"
		if level == "generic" || e.apart && strings.HasPrefix(level, "v4b") {
			arithmetic = level
		}
		if first[arithmetic] == nil {
			first[arithmetic] = logits
		}
		if i := firstDifference(logits, first[arithmetic]); i >= 0 {
			t.Errorf("%s: logit %d is %g, elsewhere %g", rung, i, logits[i], first[arithmetic][i])
		}
	}
}

// requireInterpreted fails if a level that was to be interpreted left nothing.
func (m machine) requireInterpreted(t *testing.T, base string) {
	t.Helper()
	for _, level := range m.Levels {
		if files, err := filepath.Glob(base + "." + level + "-interpreted.*"); err != nil || len(files) != len(m.Ways) {
			t.Errorf("level %s: %d logits of the interpreter, want one by each of %v", level, len(files), m.Ways)
		}
	}
}

// firstDifference is the index of the first value with other bits, −1 if there
// is none.
func firstDifference(a, b []float32) int {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return i
		}
	}
	return -1
}

func readFloats(path string) ([]float32, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	values := make([]float32, len(data)/4)
	_, err = binary.Decode(data, binary.LittleEndian, values)
	return values, err
}
