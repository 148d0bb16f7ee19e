package sample

import (
	"flag"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	nan = float32(math.NaN())
	inf = float32(math.Inf(1))
)

func mustNew(t testing.TB, vocabulary int, alter func(*Options)) *Sampler {
	t.Helper()
	o := Default()
	alter(&o)
	s, err := New(o, vocabulary)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func greedy(*Options) {}

func TestGreedy(t *testing.T) {
	for _, test := range []struct {
		logits []float32
		want   int32
	}{
		{[]float32{1, 3, 2}, 1},
		{[]float32{2, 3, 3}, 1},
		{[]float32{nan, -5, nan}, 1},
		{[]float32{nan, nan}, -1},
		{[]float32{-inf, -inf}, 0},
		{[]float32{nan, -inf}, 1},
		{[]float32{1, inf, inf}, 1},
		{[]float32{0, float32(math.Copysign(0, -1))}, 0},
	} {
		for name, alter := range map[string]func(*Options){
			"greedy": greedy,
			"top-k":  func(o *Options) { o.Temperature, o.TopK = 1, 1 },
			"top-p":  func(o *Options) { o.Temperature, o.TopP = 1, 1e-9 },
			"min-p":  func(o *Options) { o.Temperature, o.MinP, o.TopK = 1e-6, 1, 1 },
		} {
			if have := mustNew(t, len(test.logits), alter).Next(test.logits); have != test.want {
				t.Errorf("%s of %v is %d, want %d", name, test.logits, have, test.want)
			}
		}
	}
}

func TestRepetitionPenalty(t *testing.T) {
	s := mustNew(t, 3, func(o *Options) { o.RepetitionPenalty = 2 })
	logits := []float32{3, 2, -1}
	for _, want := range []int32{0, 1, 0} {
		if have := s.Next(logits); have != want {
			t.Errorf("chose %d, want %d", have, want)
		}
		s.Accept(want)
	}
	s.Accept(-1)
	s.Accept(3)
	negative := []float32{-3, -4, -5}
	if have := s.Next(negative); have != 2 { // -6, -8, -5
		t.Errorf("of negative logits chose %d, want 2", have)
	}
	if !slices.Equal(logits, []float32{3, 2, -1}) {
		t.Error("the logits were changed")
	}
}

func TestAllowed(t *testing.T) {
	for _, temperature := range []float64{0, 5} {
		s := mustNew(t, 4, func(o *Options) {
			o.Temperature = temperature
			o.Allowed = func(id int32) bool { return id == 1 || id == 2 }
		})
		for range 100 {
			if id := s.Next([]float32{9, 1, 2, 10}); id != 1 && id != 2 {
				t.Fatalf("chose %d", id)
			}
		}
	}
	o := Default()
	o.Allowed = func(int32) bool { return false }
	if _, err := New(o, 4); err == nil {
		t.Error("no id is allowed, and that is no error")
	}
}

func TestNewRefuses(t *testing.T) {
	notANumber := math.NaN()
	for want, alter := range map[string]func(*Options){
		"temperature is -1":           func(o *Options) { o.Temperature = -1 },
		"temperature is NaN":          func(o *Options) { o.Temperature = notANumber },
		"temperature is +Inf":         func(o *Options) { o.Temperature = math.Inf(1) },
		"top-k is -3":                 func(o *Options) { o.TopK = -3 },
		"top-p is 0,":                 func(o *Options) { o.TopP = 0 },
		"top-p is 1.5":                func(o *Options) { o.TopP = 1.5 },
		"top-p is NaN":                func(o *Options) { o.TopP = notANumber },
		"min-p is -0.1":               func(o *Options) { o.MinP = -0.1 },
		"min-p is 2":                  func(o *Options) { o.MinP = 2 },
		"repetition penalty is 0,":    func(o *Options) { o.RepetitionPenalty = 0 },
		"repetition penalty is -1.2,": func(o *Options) { o.RepetitionPenalty = -1.2 },
	} {
		o := Default()
		alter(&o)
		if _, err := New(o, 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if _, err := New(Default(), 0); err == nil {
		t.Error("a vocabulary of 0 ids is no error")
	}
}

// TestMain fixes what rapid draws: tests that pass once pass again.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("rapid.seed").Value.String() == "0" {
		if err := flag.Set("rapid.seed", "1"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// TestDistribution holds the counts of many draws against the probabilities
// that the definitions give, by Pearson's chi-square.
func TestDistribution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logits := make([]float32, rapid.IntRange(1, 12).Draw(t, "vocabulary"))
		for i := range logits { // from a grid: near ties would be a matter of rounding
			logits[i] = float32(rapid.IntRange(-192, 192).Draw(t, "logit")) / 64
		}
		o := Options{
			Temperature:       rapid.Float64Range(0.2, 3).Draw(t, "temperature"),
			TopK:              rapid.IntRange(0, 12).Draw(t, "top-k"),
			TopP:              rapid.Float64Range(0.05, 1).Draw(t, "top-p"),
			MinP:              rapid.Float64Range(0, 0.5).Draw(t, "min-p"),
			RepetitionPenalty: rapid.Float64Range(0.5, 2).Draw(t, "penalty"),
			Seed:              rapid.Uint64().Draw(t, "seed"),
		}
		s, err := New(o, len(logits))
		if err != nil {
			t.Fatal(err)
		}
		s.Accept(0)
		const draws = 2000
		counts := make([]int, len(logits))
		for range draws {
			counts[s.Next(logits)]++
		}
		checkCounts(t, counts, probabilities(o, logits), draws)
	})
}

// checkCounts bounds the chi-square far beyond what chance makes of it: with
// 11 degrees of freedom 60 has a probability of 1e-8.
func checkCounts(t *rapid.T, counts []int, p []float64, draws int) {
	sum := 0.0
	for id, n := range counts {
		want := p[id] * float64(draws)
		switch {
		case want == 0 && n > 0:
			t.Fatalf("id %d was drawn %d times, want never; probabilities %v", id, n, p)
		case want >= 5: // below, chi-square says nothing
			sum += (float64(n) - want) * (float64(n) - want) / want
		}
	}
	if sum > 60 {
		t.Fatalf("chi-square is %g: counts %v, probabilities %v", sum, counts, p)
	}
}

// probabilities states what the options mean, with everything sorted.
func probabilities(o Options, logits []float32) []float64 {
	type entry struct {
		id int
		p  float64
	}
	var all []entry
	for id, l := range logits {
		v := float64(l)
		if id == 0 && v > 0 {
			v /= o.RepetitionPenalty
		} else if id == 0 {
			v *= o.RepetitionPenalty
		}
		all = append(all, entry{id, v})
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		if a.p != b.p && a.p > b.p {
			return -1
		} else if a.p != b.p {
			return 1
		}
		return a.id - b.id
	})
	if o.TopK > 0 {
		all = all[:min(o.TopK, len(all))]
	}
	largest, sum := all[0].p, 0.0
	for i := range all {
		all[i].p = math.Exp((all[i].p - largest) / o.Temperature)
		sum += all[i].p
	}
	kept, share := 0, 0.0
	for kept < len(all) && (o.TopP == 1 || share < o.TopP*sum*(1-1e-12)) {
		share += all[kept].p
		kept++
	}
	out := make([]float64, len(logits))
	left := 0.0
	for _, e := range all[:kept] {
		if e.p >= o.MinP {
			out[e.id] = e.p
			left += e.p
		}
	}
	for i := range out {
		out[i] /= left
	}
	return out
}

// TestSeed fixes what one seed draws, so that a release that draws other
// texts is noticed.
func TestSeed(t *testing.T) {
	logits := make([]float32, 1000)
	for i := range logits {
		logits[i] = float32(i%17) / 5
	}
	draw := func(seed uint64) (ids []int32) {
		s := mustNew(t, len(logits), func(o *Options) {
			o.Temperature, o.TopP, o.TopK, o.Seed = 0.8, 0.9, 200, seed
		})
		for range 8 {
			ids = append(ids, s.Next(logits))
		}
		return ids
	}
	if have, want := draw(1), seedOne; !slices.Equal(have, want) {
		t.Errorf("seed 1 draws %v, want %v", have, want)
	}
	if slices.Equal(draw(1), draw(2)) {
		t.Error("seeds 1 and 2 draw the same")
	}
}

var seedOne = []int32{32, 594, 67, 389, 389, 560, 288, 151}

func TestInfiniteLogits(t *testing.T) {
	s := mustNew(t, 4, func(o *Options) { o.Temperature = 1 })
	seen := [4]int{}
	for range 200 {
		seen[s.Next([]float32{inf, 3, nan, inf})]++
	}
	if seen[1]+seen[2] > 0 || seen[0] == 0 || seen[3] == 0 {
		t.Errorf("drawn %v", seen)
	}
	for range 200 {
		if id := s.Next([]float32{-inf, 3, -inf, nan}); id != 1 {
			t.Fatalf("drew %d", id)
		}
	}
}

func TestExp(t *testing.T) {
	for x := -707.0; x <= 0; x += 0.0371 {
		if have, want := exp(x), math.Exp(x); math.Abs(have-want) > 1e-15*want {
			t.Fatalf("exp(%g) is %g, want %g", x, have, want)
		}
	}
	if exp(0) != 1 || exp(math.Inf(-1)) != 0 || exp(-1e9) != 0 {
		t.Error("exp is wrong at its ends")
	}
}

func TestLogProbs(t *testing.T) {
	logits := []float32{1, nan, 3, 2, 3, -inf}
	top, own := LogProbs(nil, logits, 0, 3)
	sum := math.Exp(1) + 2*math.Exp(3) + math.Exp(2)
	for i, want := range []LogProb{{2, 3 - math.Log(sum)}, {4, 3 - math.Log(sum)}, {3, 2 - math.Log(sum)}} {
		if top[i].ID != want.ID || math.Abs(top[i].Value-want.Value) > 1e-12 {
			t.Errorf("place %d is %v, want %v", i, top[i], want)
		}
	}
	if len(top) != 3 || math.Abs(own-1+math.Log(sum)) > 1e-12 {
		t.Errorf("%d ids, the chosen one %g", len(top), own)
	}
	if top, own = LogProbs(top[:1], logits, 5, 0); len(top) != 1 || !math.IsInf(own, -1) {
		t.Errorf("%v, %g", top, own)
	}
	if top, own = LogProbs(nil, logits[1:2], 9, 2); len(top) != 0 || own == own {
		t.Errorf("%v, %g", top, own)
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	logits := make([]float32, 500)
	s := mustNew(t, len(logits), func(o *Options) {
		o.Temperature, o.TopK, o.TopP, o.MinP, o.RepetitionPenalty = 1, 50, 0.9, 0.01, 1.1
	})
	top := make([]LogProb, 0, 5)
	if n := testing.AllocsPerRun(100, func() {
		s.Accept(s.Next(logits))
		LogProbs(top, logits, 3, 5)
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func BenchmarkNext(b *testing.B) {
	logits := make([]float32, 50280)
	for i := range logits {
		logits[i] = float32(math.Sin(float64(i)*1.7)+math.Sin(float64(i)*0.3)) * 6
	}
	for name, alter := range map[string]func(*Options){
		"greedy":      greedy,
		"penalty":     func(o *Options) { o.RepetitionPenalty = 1.1 },
		"temperature": func(o *Options) { o.Temperature = 0.8 },
		"top-k":       func(o *Options) { o.Temperature, o.TopK = 0.8, 40 },
		"top-p":       func(o *Options) { o.Temperature, o.TopP = 0.8, 0.95 },
		"min-p":       func(o *Options) { o.Temperature, o.MinP = 0.8, 0.05 },
	} {
		b.Run(name, func(b *testing.B) {
			s := mustNew(b, len(logits), alter)
			for b.Loop() {
				s.Next(logits)
			}
		})
	}
}
