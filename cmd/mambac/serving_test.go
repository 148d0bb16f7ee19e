//go:build serving && linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestServing measures a server of mamba-130m against bench, beside a long prompt
// and behind one, and writes docs/serving.md: make bench-serve.
func TestServing(t *testing.T) {
	r := newServingRun(t)
	for round := range r.Rounds {
		t.Logf("round %d of %d", round+1, r.Rounds)
		if round%2 == 0 {
			r.bench()
			r.streams(round)
		} else {
			r.streams(round)
			r.bench()
		}
		r.stall(round)
		r.prefix(round)
		r.keep(&r.serving)
	}
	r.end(t)
	r.write(filepath.Join("docs", "serving.md"), r.markdown())
}

// servingRun is a run of make bench-serve.
type servingRun struct {
	serving
	workshop
	*served
	forgets bool // the server keeps nothing of what requests have read
}

// The long prompt, and what follows it.
const (
	longPrompt = 4096
	restPrompt = 16
	answered   = 32 // tokens
)

func newServingRun(t *testing.T) *servingRun {
	r := &servingRun{workshop: newWorkshop(t, "SERVE", "mamba-130m", 3)}
	r.machine, r.Weights, r.Streams = thisMachine(t), variable("WEIGHTS", "int8"), 16
	r.Threads, r.Rounds = numbersOf(t, variable("THREADS", strconv.Itoa(r.Cores)))[0], numbersOf(t, variable("ROUNDS", "5"))[0]
	r.Tokens = numbersOf(t, variable("GEN", "160"))[0]
	r.Model = r.models[0]
	program := filepath.Join(r.work, "model")
	checkpoint := r.checkpoint("gpt-neox-20b", "--preset", r.Model)
	var b built
	if err := json.Unmarshal([]byte(compiler(t, "build", checkpoint, "--json", "-q", "-o", program, "--weights", r.Weights, "--with", "serve")), &b); err != nil {
		t.Fatal(err)
	}
	r.Chunk, r.Math = b.Chunk, b.Math
	cmd := exec.Command(program, "serve", "--addr", "127.0.0.1:0", "--log", "off", "--threads", strconv.Itoa(r.Threads))
	cmd.Env = append(os.Environ(), "MAMBAC_API_KEY=secret", "XDG_DATA_HOME="+t.TempDir())
	r.served = listening(t, cmd)
	r.program = program
	r.forgets = !strings.Contains(r.metrics(), "mambac_prefix_")
	if r.forgets {
		r.note("prompts that were read before: the server has no prefix cache")
	}
	// Weights are moved into huge pages while the first texts are written.
	if _, err := r.together(context.Background(), r.Streams, r.Tokens, 1<<16, func(int) {}); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *servingRun) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(r.Notes, text) {
		r.Notes = append(r.Notes, text)
		r.t.Log(text)
	}
}

// steady takes a sample until others leave the machine alone, but not for ever.
// The server is none of them.
func (r *servingRun) steady(what string, sample func()) {
	r.Samples++
	busy := func() float64 { return othersSeconds() - secondsOf(r.t, r.cmd.Process.Pid) }
	for range r.tries {
		before, begun := busy(), time.Now()
		sample()
		others := (busy() - before) / time.Since(begun).Seconds()
		if others < disturbed {
			return
		}
		r.t.Logf("%s: others kept %.2f processors busy", what, others)
	}
	r.Disturbed++
}

// secondsOf is the processor time of a process.
func secondsOf(t *testing.T, pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err := strconv.ParseFloat(fields[11], 64)
	system, failed := strconv.ParseFloat(fields[12], 64)
	if err != nil || failed != nil {
		t.Fatalf("/proc/%d/stat: %s", pid, text)
	}
	return (user + system) / 100
}

// bench is what the engine does without a server.
func (r *servingRun) bench() {
	var b benchResult
	r.steady("bench", func() {
		b = r.workshop.bench(r.program, "--threads", strconv.Itoa(r.Threads), "--batch", strconv.Itoa(r.Streams), "--prompt", "8", "--gen", strconv.Itoa(r.Tokens), "--repeat", "1")
	})
	r.Level = b.Level
	r.Bench = append(r.Bench, b.Runs[0].Decode.Median)
	r.t.Logf("bench: %.1f tokens/s", b.Runs[0].Decode.Median)
}

// heard is a text and when its pieces came.
type heard struct {
	begun time.Time
	lines []string // of JSON
	at    []time.Time
	text  string
}

// first is the time to the first token.
func (h *heard) first() float64 { return h.at[0].Sub(h.begun).Seconds() }

// hear asks for a text and listens until it ends, or ctx does; each is told of
// every piece and may be nil.
func (r *servingRun) hear(ctx context.Context, ids []int32, tokens int, more string, each func()) (*heard, error) {
	body := fmt.Sprintf(`{"prompt":[%s],"max_tokens":%d,"temperature":0,"ignore_eos":true,"stream":true%s}`, commas(ids), tokens, more)
	h := &heard{begun: time.Now()}
	answer, err := r.post(ctx, body)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		at := time.Now()
		data, ok := strings.CutPrefix(lines.Text(), "data: {")
		if !ok {
			continue
		}
		h.at, h.lines = append(h.at, at), append(h.lines, "{"+data)
		if each != nil {
			each()
		}
	}
	if ctx.Err() != nil {
		return h, nil
	}
	if lines.Err() != nil || answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d, %w", answer.StatusCode, lines.Err())
	}
	return h, h.decode()
}

// decode reads the pieces, once nothing is measured any more.
func (h *heard) decode() error {
	for _, line := range h.lines {
		var r struct{ Choices []struct{ Text string } }
		if err := json.Unmarshal([]byte(line), &r); err != nil || len(r.Choices) != 1 {
			return fmt.Errorf("event %q: %w", line, err)
		}
		h.text += r.Choices[0].Text
	}
	return nil
}

// randomIDs is a prompt that nobody has read before.
func randomIDs(n int, seed uint64) []int32 {
	random := rand.New(rand.NewPCG(seed, 6))
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = random.Int32N(50_000)
	}
	return ids
}

// together hears several texts at once; each is told of every piece of every one.
func (r *servingRun) together(ctx context.Context, n, tokens int, seed uint64, each func(stream int)) ([]*heard, error) {
	list := make([]*heard, n)
	failed := make(chan error, n)
	for i := range n {
		go func() {
			var err error
			list[i], err = r.hear(ctx, randomIDs(8, seed<<8+uint64(i)), tokens, "", func() { each(i) })
			failed <- err
		}()
	}
	var all []error
	for range n {
		all = append(all, <-failed)
	}
	return list, errors.Join(all...)
}

// streams measures several at once.
func (r *servingRun) streams(round int) {
	var speed float64
	r.steady("streams", func() {
		list, err := r.together(context.Background(), r.Streams, r.Tokens, uint64(round), func(int) {})
		if err != nil {
			r.t.Fatal(err)
		}
		speed = r.speed(list)
	})
	r.Served = append(r.Served, speed)
	r.t.Logf("%d streams: %.1f tokens/s", r.Streams, speed)
}

// speed is all tokens a second while all streams run: from the last one's first
// token to the first one's last.
func (r *servingRun) speed(list []*heard) float64 {
	from, to := list[0].at[0], list[0].at[len(list[0].at)-1]
	for _, h := range list {
		if h.at[0].After(from) {
			from = h.at[0]
		}
		if last := h.at[len(h.at)-1]; last.Before(to) {
			to = last
		}
	}
	tokens := 0.0
	for _, h := range list {
		within := 0
		for _, at := range h.at {
			if at.After(from) && !at.After(to) {
				within++
			}
		}
		// Some tokens are half a character, which waits for the other half.
		tokens += float64(within) * float64(r.Tokens) / float64(len(h.at))
	}
	return tokens / to.Sub(from).Seconds()
}

// stall has a long prompt read while others go on.
func (r *servingRun) stall(round int) {
	w := &r.Stalls
	w.Prompt = longPrompt
	var usual, longest, mean float64
	seed := longSeed(round, 0)
	r.steady("stall", func() {
		seed++
		usual, longest, mean = r.beside(seed)
	})
	w.Usual, w.Longest, w.Mean = append(w.Usual, usual), append(w.Longest, longest), append(w.Mean, mean)
	w.Most = r.metric("mambac_stall_seconds_max")
	r.t.Logf("a token takes %.0f ms, and up to %.0f ms while a prompt is read, %.0f ms a chunk", usual*1000, longest*1000, mean*1000)
}

// longSeed is the first seed of a round's long prompts, of one of two kinds.
func longSeed(round, kind int) uint64 { return uint64(2*round+kind+1) << 32 }

// beside is how long the tokens of texts take before and while a long prompt is
// read, and what the server says of that.
func (r *servingRun) beside(seed uint64) (usual, longest, mean float64) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var list []*heard
	pieces, ended := make(chan int, 1<<16), make(chan error, 1)
	go func() {
		var err error
		list, err = r.together(ctx, r.Streams-1, 4000, seed, func(i int) { pieces <- i })
		ended <- err
	}()
	for seen := map[int]int{}; len(seen) < r.Streams-1 || seen[0] < 20; {
		select {
		case i := <-pieces:
			seen[i]++
		case err := <-ended:
			r.t.Fatalf("texts end too early: %v", err)
		}
	}
	sum, n := r.stalled()
	from := time.Now()
	if _, err := r.hear(ctx, randomIDs(longPrompt, seed), 1, "", nil); err != nil {
		r.t.Fatal(err)
	}
	to := time.Now()
	after, m := r.stalled()
	cancel()
	if err := <-ended; err != nil {
		r.t.Fatal(err)
	}
	usual, longest = gaps(list, from, to)
	return usual, longest, (after - sum) / (m - n)
}

// gaps is the median time between pieces before a time, and the longest between
// two.
func gaps(list []*heard, from, to time.Time) (usual, longest float64) {
	var before []float64
	for _, h := range list {
		for i := 1; i < len(h.at); i++ {
			gap := h.at[i].Sub(h.at[i-1]).Seconds()
			switch {
			case !h.at[i].After(from):
				before = append(before, gap)
			case !h.at[i].After(to):
				longest = max(longest, gap)
			}
		}
	}
	return newQuantity(before).Median, longest
}

// stalled is what the server says of chunks that others waited for.
func (r *servingRun) stalled() (seconds, n float64) {
	return r.metric("mambac_stall_seconds_sum"), r.metric("mambac_stall_seconds_count")
}

func (r *servingRun) metrics() string {
	answer, err := r.send(context.Background(), http.MethodGet, "/metrics", "")
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

func (r *servingRun) metric(name string) float64 {
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(r.metrics())
	if m == nil {
		r.t.Fatalf("no %s in /metrics", name)
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

// prefix measures the first token behind a long text: for the first time, again,
// and from a state.
func (r *servingRun) prefix(round int) {
	p := &r.Prefix
	p.Tokens, p.Rest = longPrompt, restPrompt
	var without, again, kept *heard
	seed := longSeed(round, 1)
	r.steady("prefix", func() {
		seed++
		ids := randomIDs(longPrompt+restPrompt, seed)
		without = r.one(ids, "")
		if !r.forgets {
			again = r.one(ids, "")
		}
		if name := fmt.Sprintf("long-%d", seed); r.save(name, ids[:longPrompt]) {
			kept = r.one(ids[longPrompt:], fmt.Sprintf(`,"state":%q`, name))
		}
	})
	p.Without = append(p.Without, without.first())
	for _, c := range []struct {
		heard *heard
		to    *[]float64
	}{{again, &p.Again}, {kept, &p.Kept}} {
		if c.heard == nil {
			continue
		}
		*c.to = append(*c.to, c.heard.first())
		if c.heard.text != without.text {
			p.Different++
		}
	}
	r.t.Logf("first token: %.0f ms; again %v, kept %v s", without.first()*1000, p.Again, p.Kept)
}

func (r *servingRun) one(ids []int32, more string) *heard {
	h, err := r.hear(context.Background(), ids, answered, more, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return h
}

// save has the server keep the state behind a text; false if it keeps none.
func (r *servingRun) save(name string, ids []int32) bool {
	answer, err := r.send(context.Background(), http.MethodPost, "/v1/states", fmt.Sprintf(`{"name":%q,"prompt":[%s]}`, name, commas(ids)))
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		r.t.Fatal(err)
	case answer.StatusCode == http.StatusNotFound, answer.StatusCode == http.StatusNotImplemented:
		r.note("states: the server keeps none")
		return false
	case answer.StatusCode >= 300:
		r.t.Fatalf("/v1/states: status %d %s", answer.StatusCode, text)
	}
	return true
}
