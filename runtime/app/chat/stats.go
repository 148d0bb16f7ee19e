package chat

import (
	"fmt"
	"time"
)

// stats counts what was done.
type stats struct {
	answers               uint64 // begun
	tokens, spared, made  int    // read, not read again, written
	readTime, writingTime time.Duration
}

func (s *stats) read(tokens, spared int, d time.Duration) {
	s.tokens, s.spared, s.readTime = s.tokens+tokens, s.spared+spared, s.readTime+d
}

func (s *stats) wrote(tokens int, d time.Duration) {
	s.made, s.writingTime = s.made+tokens, s.writingTime+d
}

func tellStats(t *talk, _ string) error {
	s := &t.stats
	t.note("conversation   %d messages, %d tokens", len(t.messages), t.state.Pos())
	t.note("read           %d tokens%s; %d more were not read again", s.tokens, speed(s.tokens, s.readTime), s.spared)
	t.note("written        %d tokens%s", s.made, speed(s.made, s.writingTime))
	t.note("state          %.1f KiB; %d kept to go back to, %.1f MiB", float64(t.state.Bytes())/(1<<10), len(t.points), float64(t.kept())/(1<<20))
	t.note("runs           at level %s, in %d threads, seed %d", t.engine.Level(), t.engine.Threads(), t.options.sampling.Seed)
	return nil
}

// speed is that of so many tokens, if it can be told.
func speed(tokens int, d time.Duration) string {
	if tokens == 0 || d <= 0 {
		return ""
	}
	return fmt.Sprintf(" at %.1f/s", float64(tokens)/d.Seconds())
}
