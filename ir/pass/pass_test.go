package pass_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/irtest"
	"github.com/mambac/mambac/ir/pass"
	"github.com/mambac/mambac/ir/storage"
	"github.com/mambac/mambac/ir/text"
)

var update = flag.Bool("update", false, "rewrite what tests expect")

// TestPass runs the textual tests: a folder for each pass, a file for each
// rewrite and each reason for which it must not happen.
func TestPass(t *testing.T) {
	for _, name := range pass.Names() {
		t.Run(name, func(t *testing.T) { irtest.Run(t, "testdata/"+name+"/*.txtar", *update) })
	}
	folders, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if !slices.Contains(pass.Names(), f.Name()) {
			t.Errorf("testdata/%s belongs to no pass", f.Name())
		}
	}
}

// seeds are enough random modules that every rewrite fires and fails to.
const seeds = 150

var ids = []int{1, 0, 1, 1, 0, 0, 1}

// TestPassesPreserveMeaning: all passes, and any subset of them, leave the
// logits of random modules as they were.
func TestPassesPreserveMeaning(t *testing.T) {
	fired := map[string]bool{}
	for seed := range uint64(seeds) {
		m := irtest.Any(seed)
		before, want := text.Format(m), irtest.Logits(t, m, ids)
		for mask := range subsets(seed) {
			var o pass.Options
			for i, name := range pass.Names() {
				if mask>>i&1 == 1 {
					o.Disable = append(o.Disable, name)
				}
			}
			got, err := pass.Run(m, o)
			if err != nil {
				t.Fatalf("seed %d without %v: %v", seed, o.Disable, err)
			}
			if e := irtest.RelativeError(irtest.Logits(t, got, ids), want); e > 1e-6 {
				t.Errorf("seed %d without %v: logits differ by %g", seed, o.Disable, e)
			}
			if len(o.Disable) == len(pass.Names())-1 && len(text.Format(got)) != len(before) {
				fired[pass.Names()[slices.IndexFunc(pass.Names(), func(n string) bool { return !slices.Contains(o.Disable, n) })]] = true
			}
		}
		if text.Format(m) != before {
			t.Fatalf("seed %d: the passes changed their input", seed)
		}
	}
	for _, name := range pass.Names() {
		if !fired[name] {
			t.Errorf("pass %s changed none of the random modules", name)
		}
	}
}

// subsets yields sets of passes to leave out, as bits: none, each one, all but
// each one, and a few that the seed gives.
func subsets(seed uint64) func(func(uint) bool) {
	n := len(pass.Names())
	all := uint(1)<<n - 1
	masks := []uint{0, all, uint(seed*2654435761) & all, uint(seed*40503+77) & all}
	for i := range n {
		masks = append(masks, 1<<i, all&^(1<<i))
	}
	return slices.Values(masks)
}

// TestPassesIdempotent: running everything again changes nothing.
func TestPassesIdempotent(t *testing.T) {
	for seed := range uint64(seeds) {
		once, err := pass.Run(irtest.Any(seed), pass.Options{})
		if err != nil {
			t.Fatal(err)
		}
		twice, err := pass.Run(once, pass.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if a, b := text.Format(once), text.Format(twice); a != b {
			t.Fatalf("seed %d: once\n%stwice\n%s", seed, a, b)
		}
	}
}

// TestRoundtripAfterEveryPass: print → parse → print is the identity.
func TestRoundtripAfterEveryPass(t *testing.T) {
	for seed := range uint64(seeds) {
		for _, name := range pass.Names() {
			m, err := pass.Run(irtest.Any(seed), pass.Options{After: name})
			if err != nil {
				t.Fatal(err)
			}
			printed := text.Format(m)
			again, err := text.Parse(printed)
			if err == nil {
				err = ir.Verify(again)
			}
			if err != nil {
				t.Fatalf("seed %d after %s: %v in\n%s", seed, name, err, printed)
			}
			if got := text.Format(again); got != printed {
				t.Fatalf("seed %d after %s: printed\n%sthen\n%s", seed, name, printed, got)
			}
		}
	}
}

// TestStorageOptions: matrices get the format asked for, all else float32; so
// small are these that formats with codes leave them as they were stored.
func TestStorageOptions(t *testing.T) {
	for _, format := range pass.Formats {
		m, err := pass.Run(irtest.Random(3), pass.Options{Storage: format})
		if err != nil {
			t.Fatal(err)
		}
		_, coded := storage.LookupCoded(format)
		for _, p := range m.Params {
			want := format
			switch matrix := len(p.Shape) == 2 && p.Transform == ir.Identity; {
			case !matrix:
				want = "f32"
			case format == "auto" || coded:
				want = p.DType.String()
			}
			if p.Storage != want {
				t.Errorf("%s: %s is stored as %s, want %s", format, p.Name, p.Storage, want)
			}
		}
	}
}

func TestUnknownNames(t *testing.T) {
	m := irtest.Random(1)
	list := strings.Join(pass.Names(), ", ")
	for _, c := range []struct {
		o    pass.Options
		want string
	}{
		{pass.Options{Disable: []string{"fuse-all"}}, `unknown pass "fuse-all"; the passes are ` + list},
		{pass.Options{After: "fuse-all"}, `unknown pass "fuse-all"; the passes are ` + list},
		{pass.Options{Storage: "f8"}, `pass storage: unknown weight format "f8"; known are auto, f32, f16, bf16, int8, int4 and auto:N, with N bits for each weight`},
	} {
		if _, err := pass.Run(m, c.o); fmt.Sprint(err) != c.want {
			t.Errorf("%+v: %v, want %s", c.o, err, c.want)
		}
	}
}
