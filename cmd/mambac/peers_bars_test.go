package main

import "fmt"

// verdict is a bar, what was measured, and which of them is higher.
type verdict struct {
	Model, What, Want, Have, Found string
}

// The three things that can be found.
const (
	met         = "met"
	missed      = "**missed**"
	notMeasured = "not measured"
)

// judge collects verdicts on one comparison.
type judge struct {
	c    *comparison
	list []verdict
}

// verdicts holds a comparison against the bars that were set for it.
func (c *comparison) verdicts() []verdict {
	j := &judge{c: c}
	j.shares("mamba-130m", 0)
	j.decodeRatios()
	j.prefillRatios()
	j.batches()
	for _, p := range []string{"f32", "f16", "bf16", "int8", "int4"} {
		first := c.model("mamba-130m").find(p).of(firstKey).Median
		j.most("mamba-130m", p+": first token", 50, first, "%.0f ms")
	}
	j.shares("mamba-790m", 0.05)
	j.ratio("mamba-2.8b", "decode", 1, "int4", "Q4_K_M", "1.8", decodeKey(1))
	j.ratio("mamba-2.8b", "decode", 2, "int4", "Q4_K_M", "1.8", decodeKey(2))
	j.shares("mamba2-130m", 0)
	j.ratio("mamba2-130m", "prefill", 1, "int8", "Q8_0", "2", prefillKey(1))
	j.ratio("mamba2-130m", "prefill", 2, "int8", "Q8_0", "2", prefillKey(2))
	j.longTexts("llama-160m-like")
	for _, model := range []string{"go-mamba-5m", "go-mamba-20m"} {
		j.quality(model)
	}
	return j.list
}

// add notes a verdict; have is 0 where nothing was measured.
func (j *judge) add(model, what, want, have string, measured, ok bool) {
	v := verdict{model, what, want, have, missed}
	switch {
	case !measured:
		v.Have, v.Found = "–", notMeasured
	case ok:
		v.Found = met
	}
	j.list = append(j.list, v)
}

func (j *judge) least(model, what string, bar, have float64, format string) {
	j.add(model, what, "≥ "+fmt.Sprintf(format, bar), fmt.Sprintf(format, have), have != 0, have >= bar)
}

func (j *judge) most(model, what string, bar, have float64, format string) {
	j.add(model, what, "< "+fmt.Sprintf(format, bar), fmt.Sprintf(format, have), have != 0, have < bar)
}

// share is least for a share of a limit, in percent.
func (j *judge) share(model, what string, bar, have float64) {
	j.least(model, what, 100*bar, 100*have, "%.1f %%")
}

// shares are the bars of decode and prefill, lower by less.
func (j *judge) shares(model string, less float64) {
	for _, b := range []struct {
		format, decode1, decode2, prefill string
	}{
		{"f32", "0.92", "0.85", "0.80"}, {"f16", "0.92", "0.85", ""}, {"bf16", "0.92", "0.85", ""}, {"bf16 fast", "", "", "v4b 0.70"},
		{"int8", "v3 0.85, 0.88", "0.80", "v4n 0.55, v4b 0.55, v3 0.50"}, {"int4", "v3 0.65, 0.75", "v3 0.60, 0.65", ""},
	} {
		s := j.c.model(model).find(b.format)
		for _, of := range []struct{ what, want, key string }{
			{"decode, 1 thread, of the read limit", b.decode1, decodeShareKey(1)},
			{"decode, 2 threads, of the read limit", b.decode2, decodeShareKey(2)},
			{"prefill, 1 thread, of the peak", b.prefill, prefillShareKey(1)},
		} {
			if of.want == "" {
				continue
			}
			if bar, ok := atLevel(of.want, j.c.Level); ok {
				j.share(model, b.format+": "+of.what, bar-less, s.of(of.key).Median)
			}
		}
	}
}

// ratio holds our median against that of llama.cpp. With several threads it
// counts only where the machine itself has more for them.
func (j *judge) ratio(model, what string, threads int, ours, theirs, want, key string) {
	bar, ok := atLevel(want, j.c.Level)
	if !ok {
		return
	}
	m := j.c.model(model)
	have, other := m.find(ours).of(key).Median, m.find(theirs).of(key).Median
	if other == 0 {
		have = 0
	} else {
		have /= other
	}
	text := fmt.Sprintf("%s : %s, %s, %s", ours, theirs, what, count(threads, "thread"))
	if one, many := j.c.limit(1).Read, j.c.limit(threads).Read; threads > 1 && have != 0 && many < 1.5*one {
		j.list = append(j.list, verdict{model, text, "≥ " + want, fmt.Sprintf("%.1f×", have),
			fmt.Sprintf("does not count: %d threads read %.1f times as much as one", threads, many/one)})
		return
	}
	j.least(model, text, bar, have, "%.2f×")
}

func (j *judge) decodeRatios() {
	for _, b := range []struct{ ours, theirs, want string }{
		{"f32", "F32", "1.2"}, {"bf16", "BF16", "1.6"}, {"int8", "Q8_0", "2"}, {"int4", "Q4_0", "2.2"},
	} {
		j.ratio("mamba-130m", "decode", 1, b.ours, b.theirs, b.want, decodeKey(1))
	}
}

func (j *judge) prefillRatios() {
	for _, b := range []struct{ ours, theirs, want string }{
		{"f32", "F32", "2.5"}, {"bf16 fast", "F16", "v4b 4"}, {"int8", "Q8_0", "v4n 5, v4b 5, v3 3.5"}, {"int4", "Q4_K_M", "v4n 4, v4b 4, v3 3"},
	} {
		j.ratio("mamba-130m", "prefill", 1, b.ours, b.theirs, b.want, prefillKey(1))
	}
}

func (j *judge) batches() {
	const model = "mamba-130m"
	for _, format := range []string{"f32", "f16", "bf16", "int8", "int4"} {
		for _, n := range []int{4, 8, 16} {
			have := j.c.model(model).find(format).of(batchShareKey(2, n)).Median
			j.share(model, fmt.Sprintf("%s: %d sequences, 2 threads, of the roofline", format, n), 0.70, have)
		}
	}
	for _, b := range []struct{ ours, theirs string }{{"f16", "F16"}, {"int8", "Q8_0"}} {
		j.ratio(model, "16 sequences", 2, b.ours, b.theirs, "3", batchKey(2, 16))
	}
}

// longContext is the length of a text after which attention is compared.
const longContext = 4096

// longTexts holds decoding after a long text against that of llama.cpp.
func (j *judge) longTexts(model string) {
	for _, b := range []struct{ ours, theirs string }{{"f32", "F32"}, {"f16", "F16"}, {"int8", "Q8_0"}} {
		for _, threads := range []int{1, 2} {
			j.ratio(model, fmt.Sprintf("decode after %d tokens", longContext), threads, b.ours, b.theirs, "1", contextKey(threads))
		}
	}
}

// quality: int8 changes the loss by little, and int4 is no worse than the best
// of four bits there, at no more bits.
func (j *judge) quality(model string) {
	eight := j.c.quality(model, "int8")
	have, measured := "", eight != nil && eight.AllChange != nil
	if measured {
		have = fmt.Sprintf("%+.5f", *eight.AllChange)
	}
	j.add(model, "int8: change of NLL, all tokens", "≤ 0.001", have, measured, measured && *eight.AllChange <= 0.001)
	for _, format := range []string{"int4", "int4 calibrated"} {
		j.fourBits(model, format)
	}
}

func (j *judge) fourBits(model, format string) {
	four, theirs := j.c.quality(model, format), j.c.quality(model, "Q4_K_M")
	what := format + " : Q4_K_M, "
	if four == nil || theirs == nil {
		j.add(model, what+"divergence", "no worse", "", false, false)
		return
	}
	j.add(model, what+"mean KL divergence", fmt.Sprintf("≤ %.5f", theirs.KL), fmt.Sprintf("%.5f", four.KL), true, four.KL <= theirs.KL)
	j.add(model, what+"the same likeliest token", fmt.Sprintf("≥ %.2f %%", 100*theirs.SameTop), fmt.Sprintf("%.2f %%", 100*four.SameTop), true, four.SameTop >= theirs.SameTop)
	j.add(model, what+"bits per weight", fmt.Sprintf("≤ %.2f", theirs.Bits), fmt.Sprintf("%.2f", four.Bits), true, four.Bits <= theirs.Bits)
}
