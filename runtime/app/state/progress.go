package state

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mambac/mambac/runtime/app"
)

const (
	barWidth = 32
	// delay is how long work takes before a bar is drawn, and pause how long that
	// stays as it is.
	delay = 500 * time.Millisecond
	pause = 100 * time.Millisecond
)

// progress tells of the reading of a text: a bar on a terminal, and a line when it
// is over.
type progress struct {
	w            io.Writer // nil to be quiet
	bars         bool
	total        int
	begun, drawn time.Time
	shown        bool
}

func newProgress(s *app.Session, total int, quiet bool) *progress {
	p := &progress{w: s.Err, bars: s.Watched, total: total, begun: now()}
	if quiet {
		p.w = nil
	}
	return p
}

// set says how many tokens have been read.
func (p *progress) set(done int) {
	t := now()
	if p.w == nil || !p.bars || done == p.total || t.Sub(p.begun) < delay || t.Sub(p.drawn) < pause {
		return
	}
	p.drawn, p.shown = t, true
	speed := float64(done) / t.Sub(p.begun).Seconds()
	full := barWidth * done / p.total
	fmt.Fprintf(p.w, "\r[%s%s] %d of %d tokens, %.0f tokens/s\x1b[K", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), done, p.total, speed)
}

// finish says that all was read.
func (p *progress) finish() {
	p.abort()
	if p.w != nil {
		fmt.Fprintf(p.w, "read %d tokens in %.1f s\n", p.total, now().Sub(p.begun).Seconds())
	}
}

// abort takes the bar away.
func (p *progress) abort() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.shown = false
}
