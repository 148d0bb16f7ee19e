//go:build load

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
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load is what many clients do to a server for some time.
type load struct {
	*served
	t     *testing.T
	texts map[string]string // what follows each prompt when it is alone

	whole, left, malformed, tokens atomic.Int64
}

// Of a hundred requests, so many are cancelled and no JSON; texts have tokens of
// loadTokens.
const (
	cancelled  = 10
	broken     = 5
	loadTokens = 64
	clients    = 64
)

// TestLoad has 64 clients stream texts of the bundled model at once, for LOADTIME,
// and compares what there is of the server before and after.
func TestLoad(t *testing.T) {
	duration, err := time.ParseDuration(os.Getenv("LOADTIME"))
	if err != nil {
		duration = time.Minute
	}
	l := &load{served: serve(t, bundled, "--addr", "127.0.0.1:0", "--log", "off"), t: t, texts: map[string]string{}}
	for n := range 16 {
		prompt := strings.Repeat("// A line.\n", n) + fmt.Sprintf("func f%d(", n)
		l.texts[prompt] = l.alone(t, prompt, loadTokens)
	}
	l.run(duration / 10) // what is made once is there then
	before := l.gauges()
	begun := time.Now()
	l.run(duration)
	took := time.Since(begun)
	after := l.gauges()
	t.Logf("%d clients, %v: %d texts, %d cancelled, %d malformed; %.0f tokens/s",
		clients, took.Round(time.Second), l.whole.Load(), l.left.Load(), l.malformed.Load(), float64(l.tokens.Load())/took.Seconds())
	t.Logf("before: %v; after: %v", before, after)
	if after.goroutines > before.goroutines+4 || after.heap > before.heap+16<<20 || after.running+after.waiting != 0 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	l.end(t)
}

func (l *load) run(duration time.Duration) {
	until := time.Now().Add(duration)
	for _, n := range []*atomic.Int64{&l.whole, &l.left, &l.malformed, &l.tokens} {
		n.Store(0)
	}
	var group sync.WaitGroup
	for n := range uint64(clients) {
		group.Go(func() {
			r := rand.New(rand.NewPCG(n, 1))
			for time.Now().Before(until) && !l.t.Failed() {
				l.one(r)
			}
		})
	}
	group.Wait()
	http.DefaultClient.CloseIdleConnections()
}

// one is one request.
func (l *load) one(r *rand.Rand) {
	kind := r.IntN(100)
	if kind < broken {
		answer, err := l.post(context.Background(), `{"prompt": "func`)
		if err != nil || answer.StatusCode != http.StatusBadRequest {
			l.t.Errorf("malformed: %v", err)
			return
		}
		answer.Body.Close()
		l.malformed.Add(1)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	most := 1 << 30
	if kind < broken+cancelled {
		most = r.IntN(loadTokens / 2)
	}
	for prompt, want := range l.texts { // any: the order of a map is random
		got, err := l.stream(ctx, prompt, most)
		switch {
		case err != nil:
			l.t.Error(err)
		case most < loadTokens:
			l.left.Add(1)
			if !strings.HasPrefix(want, got) {
				l.t.Errorf("%q, alone %q", got, want)
			}
		case got != want:
			l.t.Errorf("%q, alone %q", got, want)
		default:
			l.whole.Add(1)
		}
		return
	}
}

// stream reads a text, up to a number of events of it.
func (l *load) stream(ctx context.Context, prompt string, most int) (text string, err error) {
	answer, err := l.post(ctx, fmt.Sprintf(`{"prompt":%q,"max_tokens":%d,"temperature":0,"ignore_eos":true,"stream":true}`, prompt, loadTokens))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", answer.StatusCode)
	}
	lines := bufio.NewScanner(answer.Body)
	for n := 0; n < most && lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if data == "[DONE]" {
			return text, nil
		}
		if !ok {
			continue
		}
		var r struct{ Choices []struct{ Text string } }
		if err := json.Unmarshal([]byte(data), &r); err != nil || len(r.Choices) != 1 {
			return "", fmt.Errorf("event %q: %w", data, err)
		}
		text += r.Choices[0].Text
		l.tokens.Add(1)
		n++
	}
	if most > loadTokens {
		return text, errors.Join(errors.New("a stream without end"), lines.Err())
	}
	return text, nil
}

// gauges is what there is of the server.
type gauges struct{ goroutines, heap, running, waiting, resident int }

func (l *load) gauges() gauges {
	l.t.Helper()
	for range 1000 { // until the last client that left is noticed
		g := l.ask()
		if g.running+g.waiting == 0 {
			return g
		}
	}
	return l.ask()
}

func (l *load) ask() (g gauges) {
	l.t.Helper()
	answer, err := l.send(context.Background(), "GET", "/metrics", "")
	if err != nil {
		l.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	for name, to := range map[string]*int{
		"mambac_goroutines": &g.goroutines, "mambac_heap_bytes": &g.heap,
		"mambac_sequences_running": &g.running, "mambac_requests_waiting": &g.waiting,
	} {
		m := regexp.MustCompile(`(?m)^` + name + ` (\d+)$`).FindSubmatch(text)
		if m == nil {
			l.t.Fatalf("no %s in %s", name, text)
		}
		*to, _ = strconv.Atoi(string(m[1])) // digits
	}
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.cmd.Process.Pid)); err == nil {
		if m := regexp.MustCompile(`VmRSS:\s+(\d+)`).FindSubmatch(status); m != nil {
			g.resident, _ = strconv.Atoi(string(m[1]))
			g.resident <<= 10
		}
	}
	return g
}

func (g gauges) String() string {
	return fmt.Sprintf("%d goroutines, heap %.1f MiB, resident %.1f MiB", g.goroutines, float64(g.heap)/(1<<20), float64(g.resident)/(1<<20))
}
