//go:build load

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Of so many requests all are given up on the way, but for one of a hundred; some
// more have bodies that are much too large.
const (
	abortions = 10_000
	oversized = 16
	bodyBytes = 100_000_000
)

// TestFaults has clients of the bundled model leave at any time, and compares what
// there is of the server before and after, and texts with those that are alone.
func TestFaults(t *testing.T) {
	l := &load{served: serve(t, bundled, "--addr", "127.0.0.1:0", "--log", "off"), t: t, texts: map[string]string{}}
	for n := range 4 {
		prompt := fmt.Sprintf("func f%d(", n)
		l.texts[prompt] = l.alone(t, prompt, loadTokens)
	}
	l.abort(abortions / 10) // what is made once is there then
	before := l.gauges()
	l.abort(abortions)
	l.oversize()
	after := l.settled(before)
	t.Logf("%d aborted, %d whole texts, %d bodies of %d MB; before: %v; after: %v", l.left.Load(), l.whole.Load(), oversized, bodyBytes/1_000_000, before, after)
	if after.goroutines > before.goroutines+4 || after.heap > before.heap+16<<20 || after.running+after.waiting != 0 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	l.end(t)
}

// settled waits for connections that the server closes some time after the last
// byte, so that its answer is read before the end of it is noticed.
func (l *load) settled(before gauges) gauges {
	g := l.gauges()
	for until := time.Now().Add(10 * time.Second); g.goroutines > before.goroutines+4 && time.Now().Before(until); {
		g = l.gauges()
	}
	return g
}

// abort gives requests up, 32 clients at once.
func (l *load) abort(n int) {
	l.whole.Store(0)
	l.left.Store(0)
	var at atomic.Int64
	var group sync.WaitGroup
	for client := range uint64(32) {
		group.Go(func() {
			r := rand.New(rand.NewPCG(client, 2))
			for i := at.Add(1); i <= int64(n) && !l.t.Failed(); i = at.Add(1) {
				if i%100 == 0 {
					l.wholeText()
				}
				l.leave(r)
			}
		})
	}
	group.Wait()
	http.DefaultClient.CloseIdleConnections()
}

// wholeText asks for one that is known. The queue may be full.
func (l *load) wholeText() {
	for prompt, want := range l.texts { // any: the order of a map is random
		got, err := l.complete(context.Background(), prompt, loadTokens)
		if err != nil && strings.Contains(err.Error(), "status 429") {
			return
		}
		if err != nil || got != want {
			l.t.Errorf("%q, %v, alone %q", got, err, want)
		}
		l.whole.Add(1)
		return
	}
}

// leave sends as much of a request as chance has it, reads as much of the answer,
// and closes the connection.
func (l *load) leave(r *rand.Rand) {
	c, err := net.Dial("tcp", strings.TrimPrefix(l.address, "http://"))
	if err != nil {
		l.t.Error(err)
		return
	}
	defer c.Close()
	stream := r.IntN(2) == 0
	body := fmt.Sprintf(`{"prompt":"func f%d(","max_tokens":1000,"ignore_eos":true,"stream":%v}`, r.IntN(100), stream)
	request := fmt.Sprintf("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	sent := len(request)
	if r.IntN(3) == 0 {
		sent = r.IntN(len(request))
	}
	if _, err := io.WriteString(c, request[:sent]); err != nil {
		l.t.Error(err)
	}
	if stream && sent == len(request) && r.IntN(2) == 0 {
		_, _ = io.CopyN(io.Discard, c, int64(r.IntN(200)))
	}
	l.left.Add(1)
}

// spaces is a body of nothing.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// oversize sends bodies that are much too large, all at once.
func (l *load) oversize() {
	var group sync.WaitGroup
	for range oversized {
		group.Go(func() {
			r, err := http.NewRequest("POST", l.address+"/v1/completions", io.LimitReader(spaces{}, bodyBytes))
			if err != nil {
				l.t.Error(err)
				return
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer secret")
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				return // the connection was closed before all was sent
			}
			defer answer.Body.Close()
			if answer.StatusCode != http.StatusRequestEntityTooLarge {
				l.t.Errorf("a body of %d bytes: status %d", bodyBytes, answer.StatusCode)
			}
		})
	}
	group.Wait()
	http.DefaultClient.CloseIdleConnections()
}
