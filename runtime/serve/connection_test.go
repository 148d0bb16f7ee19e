package serve

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mambac/mambac/runtime/enginetest"
)

// start has a server listen, and gives where.
func start(t *testing.T, s *Server) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := s.HTTP()
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(s.Listener(l)) }()
	t.Cleanup(func() {
		h.Close()
		<-ended
	})
	return l.Addr().String()
}

// dial opens a connection that the test closes.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// endless is a request for a text without end.
const endless = `{"prompt":"AB","ignore_eos":true,"max_tokens":1000000000,"stream":true}`

// post writes a request to a connection.
func post(t *testing.T, c io.Writer, body string) {
	t.Helper()
	_, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", completionsPath, len(body), body)
	if err != nil {
		t.Fatal(err)
	}
}

// firstEvent reads up to the first event of a stream.
func firstEvent(t *testing.T, c io.Reader) {
	t.Helper()
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "data: ") {
			return
		}
	}
}

// withLimits alters the limits of a server.
func withLimits(alter func(l *Limits)) func(*Options) {
	return func(o *Options) {
		o.Limits.Tokens = 1 << 30
		alter(&o.Limits)
	}
}

// TestFullQueue: one request too many is told so at once, and a client that leaves
// makes room.
func TestFullQueue(t *testing.T) {
	s := newServer(t, withLimits(func(l *Limits) { l.Slots, l.Queue = 1, 1 }))
	address := start(t, s)
	running := dial(t, address)
	post(t, running, endless)
	firstEvent(t, running)
	waiting := dial(t, address)
	post(t, waiting, endless)
	for s.scheduler.Stats().Waiting == 0 {
		runtime.Gosched()
	}
	w := ask(s, "POST", completionsPath, `{"prompt":"a"}`)
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "2" || !strings.Contains(w.Body.String(), "rate_limit_exceeded") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	running.Close()
	firstEvent(t, waiting)
	waiting.Close()
	settle(t, s)
	complete(t, s, completionsPath, `{"prompt":"a"}`)
}

// TestSeveralPromptsOneTooMany: a request that does not fit as a whole leaves
// nothing behind.
func TestSeveralPromptsOneTooMany(t *testing.T) {
	s := newServer(t, withLimits(func(l *Limits) { l.Slots, l.Queue = 1, 1 }))
	prompts := strings.Repeat(`"ab",`, 99) + `"ab"`
	w := ask(s, "POST", completionsPath, `{"max_tokens":1000000000,"ignore_eos":true,"prompt":[`+prompts+`]}`)
	if w.Code != http.StatusTooManyRequests {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	settle(t, s)
}

// TestStalls: how long a text waited for each chunk of a prompt that came later.
func TestStalls(t *testing.T) {
	s := newServer(t, withLimits(func(*Limits) {}))
	running := dial(t, start(t, s))
	post(t, running, endless)
	firstEvent(t, running)
	complete(t, s, completionsPath, `{"prompt":"`+strings.Repeat("A", 100)+`","max_tokens":2}`)
	text := ask(s, "GET", "/metrics", "").Body.String()
	if !strings.Contains(text, "\nmambac_stall_seconds_count 7\n") || strings.Contains(text, "mambac_stall_seconds_max 0\n") {
		t.Error(text)
	}
	running.Close()
	settle(t, s)
}

// TestPlaces bounds those who are still sending their requests as well.
func TestPlaces(t *testing.T) {
	s := newKeeper(t, enginetest.Compiled(vocab), 0, withLimits(func(l *Limits) { l.Slots, l.Queue = 1, 0 })).Server
	address := start(t, s)
	sending := dial(t, address)
	if _, err := fmt.Fprintf(sending, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", completionsPath); err != nil {
		t.Fatal(err)
	}
	for len(s.places) == 0 {
		runtime.Gosched()
	}
	for _, path := range []string{completionsPath, statesPath, statesPath + "/s/fork"} {
		if w := ask(s, "POST", path, `{"prompt":"a"}`); w.Code != http.StatusTooManyRequests {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	sending.Close()
	settle(t, s)
}

// untilClosed reads what a server says before it closes a connection.
func untilClosed(c net.Conn) string {
	text, _ := io.ReadAll(c) // a reset is an end as well
	return string(text)
}

// TestIdleConnections are closed as well.
func TestIdleConnections(t *testing.T) {
	s := newServer(t, withLimits(func(l *Limits) { l.Idling = time.Millisecond }))
	c := dial(t, start(t, s))
	if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := untilClosed(c); !strings.HasPrefix(got, "HTTP/1.1 200 ") || !strings.HasSuffix(got, "{\"status\":\"ok\"}\n") {
		t.Errorf("%q", got)
	}
}

// TestLongAnswer: the time for reading a request does not bound its answer.
func TestLongAnswer(t *testing.T) {
	const reading = 20 * time.Millisecond
	s := newServer(t, withLimits(func(l *Limits) { l.Reading = reading }))
	c := dial(t, start(t, s))
	begun := time.Now()
	post(t, c, endless)
	for r := bufio.NewReader(c); time.Since(begun) < 3*reading; {
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatalf("ended after %v: %v", time.Since(begun), err)
		}
	}
}

// TestHeaderSize: what is too long is refused before it is all there.
func TestHeaderSize(t *testing.T) {
	s := newServer(t, withLimits(func(l *Limits) { l.Header = 1 << 10 }))
	c := dial(t, start(t, s))
	go func() {
		_, _ = io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: "+strings.Repeat("x", 1<<20))
	}() // is cut off
	if got := untilClosed(c); got != "" && !strings.HasPrefix(got, "HTTP/1.1 431 ") {
		t.Errorf("%q", got)
	}
}

// TestSockets: connections beyond the limit wait until another is closed.
func TestSockets(t *testing.T) {
	s := newServer(t, withLimits(func(l *Limits) { l.Sockets = 1 }))
	address := start(t, s)
	first := dial(t, address)
	get := "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	answered := func(c net.Conn) {
		t.Helper()
		if _, err := io.WriteString(c, get); err != nil {
			t.Fatal(err)
		}
		if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
			t.Fatal(err)
		}
	}
	answered(first)
	second := dial(t, address) // the system takes it
	first.Close()
	answered(second)
}

// halves tells of connections on which nothing more is said.
type halves struct {
	net.Listener
	ended chan struct{} // holds a value for each
}

func (l *halves) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &half{c, l.ended}, err
}

type half struct {
	net.Conn
	ended chan struct{}
}

func (c *half) CloseWrite() error {
	c.ended <- struct{}{}
	return nil
}

// TestLastWord: a client that still sends is told why nobody listens, before the
// connection is closed.
func TestLastWord(t *testing.T) {
	s := newServer(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{}, 1)
	h, served := s.HTTP(), make(chan error, 1)
	go func() { served <- h.Serve(s.Listener(&halves{l, ended})) }()
	t.Cleanup(func() {
		h.Close()
		<-served
	})
	c := dial(t, l.Addr().String())
	if _, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", completionsPath, 1<<30); err != nil {
		t.Fatal(err)
	}
	if got := untilClosed(c); !strings.HasPrefix(got, "HTTP/1.1 415 ") {
		t.Errorf("%q", got)
	}
	select {
	case <-ended:
	default:
		t.Error("it was closed both ways at once")
	}
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	if err := (&conn{Conn: ours}).CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("of a pipe: %v", err)
	}
}

// TestEnd: what comes is refused, and what runs is told when its time is over.
func TestEnd(t *testing.T) {
	s := newServer(t, withLimits(func(*Limits) {}))
	c := dial(t, start(t, s))
	post(t, c, endless)
	firstEvent(t, c)
	done := make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- s.Shutdown(ctx) }()
	for ask(s, "POST", completionsPath, `{"prompt":"a"}`).Code != http.StatusServiceUnavailable {
		runtime.Gosched()
	}
	if w := ask(s, "GET", "/healthz", ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("its health is %d", w.Code)
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("a text without end has ended in time")
	}
	text := untilLast(t, c)
	if !strings.Contains(text, "shutting down") {
		t.Errorf("the stream ends with %q", text)
	}
}

// untilLast is the last event of a stream.
func untilLast(t *testing.T, c io.Reader) (last string) {
	t.Helper()
	for r := bufio.NewReader(c); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "data: ") {
			last = line
		}
		if line == "0\r\n" { // the last chunk
			return last
		}
	}
}
