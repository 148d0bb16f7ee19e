package serve

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// remains is what there is of a server besides its texts.
type remains struct {
	goroutines int
	heap       uint64
}

func measure() remains {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return remains{runtime.NumGoroutine(), m.HeapAlloc}
}

// requireNothingLeft waits until all that was asked for has ended, and compares
// with what there was before: no goroutine more, and no memory but for what is made
// once.
func requireNothingLeft(t *testing.T, s *Server, before remains) {
	t.Helper()
	settle(t, s)
	for n := 0; runtime.NumGoroutine() > before.goroutines; n++ { // connections that are being closed
		if n > 1e7 {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before.goroutines)
		}
		runtime.Gosched()
	}
	if after := measure(); after.heap > before.heap+4<<20 {
		t.Errorf("%d bytes of memory, %d before", after.heap, before.heap)
	}
	if r := complete(t, s, completionsPath, `{"prompt":"AB","max_tokens":2,"temperature":0}`); r.Choices[0].Text != "CD" {
		t.Errorf("after all that: %+v", r)
	}
}

// abort leaves a server in one of the ways that there are.
func abort(t *testing.T, address string, way int) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	var b strings.Builder
	post(t, &b, endless)
	request := b.String()
	if way%5 == 4 { // it would have been told at the end
		request = strings.Replace(request, `"stream":true`, `"stream":null`, 1)
	}
	sent := []int{len(request), len(request), len(request) / 4, len(request) - 9, len(request)}[way%5]
	if _, err := io.WriteString(c, request[:sent]); err != nil {
		t.Error(err)
	}
	if way%5 == 0 {
		_, _ = io.CopyN(io.Discard, c, int64(1+way*7)) // of a text without end
	}
}

// TestAborted: 500 clients go away at any time.
func TestAborted(t *testing.T) {
	s := newServer(t, withLimits(func(l *Limits) { l.Slots = 4 }))
	address := start(t, s)
	abort(t, address, 0)
	settle(t, s)
	before := measure()
	var group sync.WaitGroup
	for n := range 10 {
		group.Go(func() {
			for way := range 50 {
				abort(t, address, way+n)
			}
		})
	}
	group.Wait()
	requireNothingLeft(t, s, before)
}

// piped has a server listen for connections that have no room for what is not
// read, until the test ends.
func piped(t *testing.T, s *Server) (dial func() net.Conn) {
	l := &pipes{make(chan net.Conn)}
	h := s.HTTP()
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	t.Cleanup(func() {
		close(l.list)
		h.Close()
		<-ended
	})
	return func() net.Conn {
		ours, theirs := net.Pipe()
		l.list <- theirs
		return ours
	}
}

type pipes struct{ list chan net.Conn }

func (p *pipes) Accept() (net.Conn, error) {
	c, ok := <-p.list
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p *pipes) Close() error   { return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// trickle sends a text byte by byte, a second apart, until nobody takes it.
func trickle(c net.Conn, text string) {
	for i := range len(text) {
		if _, err := io.WriteString(c, text[i:i+1]); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// TestSlowSenders of a header, or a body, wanted or not, are cut off when the time for it is over,
// however busy they are: by a clock that only runs while everybody waits.
func TestSlowSenders(t *testing.T) {
	header := "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"
	for name, c := range map[string]struct{ begin, rest, want string }{
		"header": {"POST ", strings.TrimPrefix(header, "POST ") + strings.Repeat("X: x\r\n", 100), "HTTP/1.1 400 "},
		"body":   {header + "\r\n", strings.Repeat(" ", 1000), "HTTP/1.1 408 "},
		"unread": {strings.Replace(header, "POST /v1/completions", "GET /healthz", 1) + "\r\n", strings.Repeat(" ", 1000), "HTTP/1.1 200 "},
		"closed": {strings.Replace(header, "/v1/completions", "/nothing", 1) + "\r\n", strings.Repeat(" ", 1000), "HTTP/1.1 404 "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// What is answered before the body is there is sent after it.
				s := newServer(t, func(o *Options) { o.Limits.Writing = 2 * o.Limits.Reading })
				dial := piped(t, s)
				var group sync.WaitGroup
				for range 20 {
					group.Go(func() {
						conn := dial()
						defer conn.Close()
						begun := time.Now()
						group.Go(func() {
							_, _ = io.WriteString(conn, c.begin) // an error is one of trickle as well
							trickle(conn, c.rest)
						})
						got := untilClosed(conn)
						if took := time.Since(begun); took < s.Limits.Reading || took > s.Limits.Reading+time.Second {
							t.Errorf("it is cut off after %v", took)
						}
						if !strings.HasPrefix(got, c.want) {
							t.Errorf("it is answered by %q", got)
						}
					})
				}
				group.Wait()
				synctest.Wait()
				if s.scheduler.Stats().Running+s.scheduler.Stats().Waiting+len(s.places) != 0 {
					t.Errorf("left: %+v, %d places", s.scheduler.Stats(), len(s.places))
				}
			})
		})
	}
}

// reluctant reads no more than so many bytes, after a pause.
type reluctant struct {
	net.Conn
	pause time.Duration
	most  int
	taken int
}

func (r *reluctant) Read(p []byte) (int, error) {
	time.Sleep(r.pause)
	n, err := r.Conn.Read(p[:min(len(p), r.most)])
	r.taken += n
	return n, err
}

// TestSlowReaders: who does not take in time what there is for him is cut off, and
// who takes his time within that is not.
func TestSlowReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, nil)
		dial := piped(t, s)
		read := func(pause time.Duration, most int) (body string, taken int, err error) {
			r := &reluctant{Conn: dial(), pause: pause, most: most}
			defer r.Close()
			post(t, r, `{"prompt":"AB","ignore_eos":true,"max_tokens":50,"temperature":0,"stream":true}`)
			answer, err := http.ReadResponse(bufio.NewReader(r), nil)
			if err != nil {
				return "", r.taken, err
			}
			text, err := io.ReadAll(answer.Body)
			return string(text), r.taken, err
		}
		if _, n, err := read(time.Second, 1); err == nil || n > int(s.Limits.Writing/time.Second)+1 {
			t.Errorf("%d bytes, one a second, and %v", n, err)
		}
		synctest.Wait()
		if s.metrics.requests[requestKind{completionsPath, gone}] != 1 || len(s.places) != 0 {
			t.Errorf("requests %v, %d places", s.metrics.requests, len(s.places))
		}
		if text, _, err := read(4*time.Second, 1<<20); err != nil || strings.Count(text, "data: {") != 50 || !strings.HasSuffix(text, "data: [DONE]\n\n") {
			t.Errorf("a patient reader has %d pieces, %v: ...%q", strings.Count(text, "data: {"), err, text[max(0, len(text)-100):])
		}
	})
}

// TestLargeBodies, of 100 MB each and several at once, are not read to their end.
func TestLargeBodies(t *testing.T) {
	const large, slack = 100_000_000, 1 << 20
	s := newServer(t, nil)
	dial := piped(t, s)
	before := measure()
	header := "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			c := dial()
			defer c.Close()
			begin, piece := fmt.Sprintf("%sContent-Length: %d\r\n\r\n", header, large), strings.Repeat(" ", 1<<15)
			if n%2 == 1 {
				begin, piece = header+"Transfer-Encoding: chunked\r\n\r\n", fmt.Sprintf("%x\r\n%s\r\n", 1<<15, piece)
			}
			answer := make(chan string)
			go func() { answer <- untilClosed(c) }()
			taken := 0
			for wrote, err := io.WriteString(c, begin); err == nil && taken < large; wrote, err = io.WriteString(c, piece) {
				taken += wrote
			}
			if got := <-answer; !strings.HasPrefix(got, "HTTP/1.1 413 ") || !strings.Contains(got, "more than 2097152 bytes") {
				t.Errorf("answered by %q", got)
			}
			if most := int(s.Limits.Body) + slack; taken > most {
				t.Errorf("%d bytes were taken, want at most %d", taken, most)
			}
		})
	}
	group.Wait()
	requireNothingLeft(t, s, before)
}

// TestNoText: bytes that are no UTF-8, wherever they are, are refused or put into
// words, and answers always are JSON in UTF-8.
func TestNoText(t *testing.T) {
	s := newServer(t, func(o *Options) { o.Keys = []string{"secret"} })
	for _, c := range []struct {
		method, path, body string
		header             []string
		status             int
	}{
		{"POST", completionsPath, "{\"prompt\":\"\xff\"}", nil, 400},
		{"POST", completionsPath, "{\"pro\xffmpt\":\"a\"}", nil, 400},
		{"POST", completionsPath, "\xef\xbb\xbf{\"prompt\":\"a\"}", nil, 400},
		{"POST", completionsPath, `{"prompt":"\ud800","max_tokens":1}`, nil, 200},
		{"POST", completionsPath, `{"prompt":"a\u0000b","max_tokens":1,"echo":true}`, nil, 200},
		{"POST", completionsPath, `{"prompt":"a","model":"\udfff"}`, nil, 404},
		{"POST", completionsPath, `{"prompt":"a","stop":"\udfff"}`, nil, 200},
		{"POST", completionsPath, `{"prompt":[255,254,192],"echo":true,"logprobs":3,"max_tokens":9}`, nil, 200},
		{"POST", chatPath, "{\"messages\":[{\"role\":\"user\",\"content\":\"\xc3\"}]}", nil, 400},
		{"POST", chatPath, `{"messages":[{"role":"user","content":"\ud83d"}],"max_tokens":3}`, nil, 200},
		{"POST", completionsPath, `{"prompt":"a"}`, []string{"Authorization", "Bearer \xff"}, 401},
		{"POST", completionsPath, `{"prompt":"a"}`, []string{"Host", "\xff"}, 403},
		{"POST", completionsPath, `{"prompt":"a"}`, []string{"Origin", "http://\xff"}, 403},
		{"POST", completionsPath, `{"prompt":"a"}`, []string{"Content-Type", "\xff"}, 415},
		{"GET", "/v1/models/%ff", "", nil, 404},
		{"GET", "/%ff", "", nil, 404},
	} {
		header := append([]string{"Authorization", "Bearer secret"}, c.header...)
		w := ask(s, c.method, c.path, c.body, header...)
		if w.Code != c.status || !utf8.Valid(w.Body.Bytes()) || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %q %v: %d %q, want %d", c.path, c.body, c.header, w.Code, w.Body, c.status)
		}
	}
	w := ask(s, "POST", completionsPath, `{"prompt":[127],"max_tokens":150,"stream":true,"temperature":0}`, "Authorization", "Bearer secret")
	text := w.Body.Bytes()
	if n := len(chunks(t, w.Body)); n < 2 || !utf8.Valid(text) {
		t.Errorf("%d pieces of bytes that are no text: %q", n, text)
	}
}

// nonsense is values that a number, a text or a list may not have, and no server
// should take long for.
var nonsense = []string{
	`NaN`, `Infinity`, `-Infinity`, `1e999`, `-1e999`, `1e`, `01`, `0x1`, `-`, `--1`, `1_000`, `99999999999999999999`, `-99999999999999999999`,
	`1e308`, `-1`, `1.5`, `"1"`, `{}`, `{"a":{}}`, `[[1]]`, `[null]`, `["a",null]`, `[1e999]`, `[-1]`, `[2147483648]`, `[[]]`, `[[null]]`, `[{}]`, `[[[1]]]`,
	strings.Repeat("[", 20_000), strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), strings.Repeat(`{"a":`, 20_000), strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000),
	strings.Repeat("9", 100_000), `"` + strings.Repeat(`\`, 1001) + `"`, `tru`, `"`, `'a'`, `{"a"}`, `{a:1}`, `[1,]`, `/**/1`, "\x00", `"` + "\n" + `"`, ``,
}

// TestNonsense: every field of a request with every sort of nonsense is answered as
// a mistake, or as if it were not there, and never fails.
func TestNonsense(t *testing.T) {
	s := newServer(t, func(o *Options) { o.Template = writesAll(true) })
	before := measure()
	for path, fields := range map[string]string{
		completionsPath: "prompt model max_tokens logprobs echo best_of suffix temperature top_p n seed stop presence_penalty frequency_penalty logit_bias stream stream_options top_k min_p repetition_penalty ignore_eos skip_special_tokens",
		chatPath:        "messages max_tokens max_completion_tokens logprobs top_logprobs response_format tools tool_choice functions n",
	} {
		for _, field := range strings.Fields(fields) {
			for _, value := range nonsense {
				body := `{"prompt":"o","messages":[{"role":"user","content":"o"}],"` + field + `":` + value + `}`
				w := ask(s, "POST", path, body)
				var r reply
				if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != 200 && (w.Code != 400 && w.Code != 404 || r.Error == nil || r.Error.Message == "" || len(r.Error.Message) > 1000) {
					t.Errorf("%s %.80s: %d %.200s", path, body, w.Code, w.Body)
				}
			}
		}
	}
	requireNothingLeft(t, s, before)
}

// TestNumbers: what is out of range is no other number.
func TestNumbers(t *testing.T) {
	s := newServer(t, nil)
	for _, field := range []string{
		`"n":-1`, `"n":0`, `"n":129`, `"n":4294967297`, `"n":9223372036854775807`, `"n":1e2`, `"max_tokens":-1`, `"max_tokens":4097`, `"max_tokens":18446744073709551617`,
		`"temperature":-0.1`, `"temperature":1e999`, `"top_p":-1`, `"top_p":1.01`, `"top_k":-1`, `"top_k":1e10`, `"min_p":-1`, `"min_p":2`, `"repetition_penalty":0`,
		`"repetition_penalty":-1`, `"repetition_penalty":1e300`, `"presence_penalty":2.1`, `"frequency_penalty":-2.1`, `"logprobs":-1`, `"logprobs":21`, `"seed":1e30`, `"seed":0.5`,
		`"logit_bias":{"-1":1}`, `"logit_bias":{"1e2":1}`, `"logit_bias":{"99999999999999999999":1}`, `"logit_bias":{"1":1e999}`, `"logit_bias":{"1":100.5}`, `"best_of":-1`,
		`"prompt":[null]`, `"prompt":["a",null]`, `"prompt":[1.5]`, `"prompt":[[1],"a"]`, `"prompt":[` + strings.Repeat(`"",`, 128) + `""]`,
	} {
		if w := ask(s, "POST", completionsPath, `{"prompt":"a",`+field+`}`); w.Code != http.StatusBadRequest {
			t.Errorf("%.60s: %d %s", field, w.Code, w.Body)
		}
	}
	for _, field := range []string{`"top_logprobs":-1`, `"top_logprobs":21`} {
		if w := ask(s, "POST", chatPath, `{"messages":[{"role":"user","content":"a"}],"logprobs":true,`+field+`}`); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", field, w.Code, w.Body)
		}
	}
}

// TestKeysTwice: the last counts, wholly.
func TestKeysTwice(t *testing.T) {
	s := newServer(t, func(o *Options) { o.Limits.Choices = 4 })
	for _, c := range []struct{ path, body, want string }{
		{completionsPath, `{"prompt":[1,2,3],"prompt":"AB","max_tokens":9,"max_tokens":1,"temperature":0}`, "C"},
		{completionsPath, `{"prompt":["x","y"],"prompt":[65],"max_tokens":1,"temperature":0}`, "B"},
		{completionsPath, `{"prompt":"AB","n":100,"n":2,"max_tokens":1,"temperature":0}`, "CC"},
		{chatPath, `{"messages":7,"messages":[{"role":7,"role":"user","content":"x","content":"AB"}],"max_tokens":1,"temperature":0}`, "C"},
	} {
		text := ""
		for _, choice := range complete(t, s, c.path, c.body).Choices {
			text += choice.Text + choice.Message.Content
		}
		if text != c.want {
			t.Errorf("%s: %q, want %q", c.body, text, c.want)
		}
	}
}
