package main

import (
	"fmt"
	"io"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress tells the user of long work on stderr: bars on a terminal, a line
// per finished task otherwise, nothing when quiet.
type progress interface {
	// begin starts a task of total bytes; 0 if its length is unknown.
	begin(name string, total int64) task
	// end leaves the stream ready for other output.
	end()
}

// task is one piece of the work.
type task interface {
	set(done int64)
	finish()
	abort()
}

// progress chooses the form; silent is for --json.
func (c *console) progress(silent bool) progress {
	switch {
	case silent || c.quiet:
		return noProgress{}
	case c.terminal:
		return newBars(c.err)
	}
	return lines{c.err}
}

// during runs one task of a progress.
func during(p progress, name string, total int64, work func(set func(done int64)) error) error {
	t := p.begin(name, total)
	if err := work(t.set); err != nil {
		t.abort()
		return err
	}
	t.finish()
	return nil
}

type noProgress struct{}

func (noProgress) begin(string, int64) task { return noProgress{} }
func (noProgress) end()                     {}
func (noProgress) set(int64)                {}
func (noProgress) finish()                  {}
func (noProgress) abort()                   {}

// lines prints a line per task when it is over.
type lines struct{ w io.Writer }

func (l lines) begin(name string, total int64) task {
	return &lineTask{w: l.w, name: name, total: total, begun: time.Now()}
}

func (lines) end() {}

type lineTask struct {
	w     io.Writer
	name  string
	total int64
	begun time.Time
}

func (*lineTask) set(int64) {}

func (t *lineTask) finish() {
	size := ""
	if t.total > 0 {
		size = formatBytes(t.total) + ", "
	}
	fmt.Fprintf(t.w, "%s: %s%.1f s\n", t.name, size, time.Since(t.begun).Seconds())
}

func (*lineTask) abort() {}

// bars draws a bar per task with bytes, a spinner for the others.
type bars struct{ container *mpb.Progress }

func newBars(w io.Writer, options ...mpb.ContainerOption) *bars {
	return &bars{mpb.New(append(options, mpb.WithOutput(w), mpb.WithWidth(64))...)}
}

func (b *bars) begin(name string, total int64) task {
	label := mpb.PrependDecorators(decor.Name(name, decor.WC{W: 10, C: decor.DindentRight}))
	if total <= 0 {
		elapsed := mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO, decor.WC{W: 6}))
		left := mpb.SpinnerStyle().PositionLeft()
		return &barTask{b.container.New(1, left, label, elapsed, mpb.BarFillerOnComplete("done")), 1}
	}
	speed := mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f "), decor.AverageSpeed(decor.SizeB1024(0), "% .1f"))
	return &barTask{b.container.AddBar(total, label, speed), total}
}

func (b *bars) end() { b.container.Shutdown() }

type barTask struct {
	bar   *mpb.Bar
	total int64
}

// set stops short of the total, so that finish alone completes the bar.
func (t *barTask) set(done int64) { t.bar.SetCurrent(min(done, t.total-1)) }
func (t *barTask) finish()        { t.bar.SetCurrent(t.total); t.bar.Wait() }
func (t *barTask) abort()         { t.bar.Abort(true); t.bar.Wait() }
