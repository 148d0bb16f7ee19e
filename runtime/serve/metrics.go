package serve

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// metrics counts what has been done, for Prometheus.
type metrics struct {
	mu        sync.Mutex
	requests  map[requestKind]int
	read      int // tokens of prompts
	written   int
	first     histogram // seconds from the request to its first token
	following histogram // seconds to every further token
	stalls    histogram // seconds that texts have waited for a chunk to be read
	longest   float64   // of those
}

// requestKind is what requests are told apart by.
type requestKind struct {
	path   string
	status int
}

// histogram counts values up to bounds.
type histogram struct {
	bounds []float64 // ascending
	counts []int     // one more than bounds
	sum    float64
}

func newHistogram(bounds ...float64) histogram {
	return histogram{bounds: bounds, counts: make([]int, len(bounds)+1)}
}

func (h *histogram) add(v float64) {
	i, _ := slices.BinarySearch(h.bounds, v)
	h.counts[i]++
	h.sum += v
}

func newMetrics() *metrics {
	return &metrics{
		requests:  map[requestKind]int{},
		first:     newHistogram(.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60),
		following: newHistogram(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1),
		stalls:    newHistogram(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5),
	}
}

func (m *metrics) request(path string, status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[requestKind{path, status}]++
}

// texts counts the tokens of a request that has ended.
func (m *metrics) texts(read, written int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.read += read
	m.written += written
}

// token counts how long a token took, which may be the first of its text.
func (m *metrics) token(took time.Duration, first bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if first {
		m.first.add(took.Seconds())
	} else {
		m.following.add(took.Seconds())
	}
}

// stall counts what others' reading took while texts went on.
func (m *metrics) stall(took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stalls.add(took.Seconds())
	m.longest = max(m.longest, took.Seconds())
}

// writeMetrics answers in Prometheus' text form.
func (s *Server) writeMetrics(c *call) error {
	var b bytes.Buffer
	s.metrics.write(&b)
	now := s.scheduler.Stats()
	single(&b, "mambac_sequences_running", "gauge", "Texts that are being read or continued, each with its state.", now.Running)
	single(&b, "mambac_requests_waiting", "gauge", "Requests that wait for a place.", now.Waiting)
	s.writePrefix(&b)
	s.writeLibrary(&b)
	single(&b, "mambac_goroutines", "gauge", "Goroutines.", runtime.NumGoroutine())
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	single(&b, "mambac_heap_bytes", "gauge", "Memory in use, without the weights.", int(memory.HeapInuse))
	s.hurry(c)
	c.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	c.WriteHeader(http.StatusOK)
	_, c.err = c.Write(b.Bytes())
	return nil
}

func head(b *bytes.Buffer, name, kind, help string) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func single[N int | int64](b *bytes.Buffer, name, kind, help string, value N) {
	head(b, name, kind, help)
	fmt.Fprintf(b, "%s %d\n", name, value)
}

func (m *metrics) write(b *bytes.Buffer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	head(b, "mambac_requests_total", "counter", "Requests that have ended; 499 is a client that left.")
	for _, k := range m.kinds() {
		fmt.Fprintf(b, "mambac_requests_total{path=%q,status=\"%d\"} %d\n", k.path, k.status, m.requests[k])
	}
	single(b, "mambac_prompt_tokens_total", "counter", "Tokens of prompts.", m.read)
	single(b, "mambac_generated_tokens_total", "counter", "Tokens written.", m.written)
	m.first.write(b, "mambac_first_token_seconds", "From a request to the first token of a text.")
	m.following.write(b, "mambac_token_seconds", "From one token of a text to the next.")
	m.stalls.write(b, "mambac_stall_seconds", "That texts which go on have waited for a chunk of a prompt to be read.")
	head(b, "mambac_stall_seconds_max", "gauge", "The longest of those since the start.")
	fmt.Fprintf(b, "mambac_stall_seconds_max %g\n", m.longest)
}

// kinds lists the kinds of requests in order.
func (m *metrics) kinds() []requestKind {
	var list []requestKind
	for k := range m.requests {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b requestKind) int {
		if c := strings.Compare(a.path, b.path); c != 0 {
			return c
		}
		return a.status - b.status
	})
	return list
}

func (h *histogram) write(b *bytes.Buffer, name, help string) {
	head(b, name, "histogram", help)
	n := 0
	for i, bound := range h.bounds {
		n += h.counts[i]
		fmt.Fprintf(b, "%s_bucket{le=\"%g\"} %d\n", name, bound, n)
	}
	n += h.counts[len(h.bounds)]
	fmt.Fprintf(b, "%s_bucket{le=\"+Inf\"} %d\n%s_sum %g\n%s_count %d\n", name, n, name, h.sum, name, n)
}
