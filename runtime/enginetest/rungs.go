package enginetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mambac/mambac/runtime/cpu"
	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/payload"
)

// MaxThreads is more workers than a small model has panels, and no divisor of
// the panels of others.
const MaxThreads = 3

// feed gives the logits of all ids of a sequence, row after row.
type feed func(*engine.Engine, []int32) ([]float32, error)

// ways are how a sequence can be fed.
var ways = []struct {
	name string
	feed feed
}{
	{"prefill", feedAtOnce},
	{"pieces", feedPieces},
	{"last", feedPrefixes},
	{"steps", feedSteps},
	{"decode", feedBatch(1)},
	{"batch2", feedBatch(2)},
	{"batch3", feedBatch(3)},
	{"batch5", feedBatch(5)},
	{"batch16", feedBatch(16)},
	{"batch17", feedBatch(17)}, // more than one pass takes
}

// Effort bounds what Rungs does: the largest number of workers, and the ways to
// feed a sequence, none for all.
type Effort struct {
	Threads int
	Ways    []string
}

// Rungs executes compiled models in the ways that this machine offers. Model i
// finds its weights in dir/i.payload and the ids to feed, decimal and separated
// by spaces, in dir/i.ids; the logits go to dir/i.LEVEL.THREADS.WAY,
// little-endian float32.
func Rungs(dir string, models []*engine.Compiled, effort Effort) error {
	for i, c := range models {
		base := filepath.Join(dir, strconv.Itoa(i))
		if err := rungs(base, c, effort); err != nil {
			return fmt.Errorf("model %d: %w", i, err)
		}
	}
	return nil
}

func rungs(base string, c *engine.Compiled, effort Effort) error {
	p, err := payload.Open(base + ".payload")
	if err != nil {
		return err
	}
	defer p.Close()
	weights, _ := p.Section(payload.WeightsSection)
	ids, err := readIDs(base + ".ids")
	if err != nil {
		return err
	}
	for _, l := range c.Levels {
		if slices.ContainsFunc(l.Features, func(f string) bool { return !cpu.Has(f) }) {
			continue
		}
		if err := effort.climb(base, c, l.Name, weights, ids); err != nil {
			return fmt.Errorf("%s: %w", l.Name, err)
		}
	}
	return nil
}

// climb feeds the ids in its ways on one level.
func (o Effort) climb(base string, c *engine.Compiled, level string, weights []byte, ids []int32) error {
	for threads := range o.Threads {
		e, err := engine.New(c, weights, engine.Options{Level: level, Threads: threads + 1})
		if err != nil {
			return err
		}
		defer e.Close()
		for _, way := range ways {
			if len(o.Ways) > 0 && !slices.Contains(o.Ways, way.name) {
				continue
			}
			rows, err := way.feed(e, ids)
			if err != nil {
				return fmt.Errorf("%s: %w", way.name, err)
			}
			out, err := binary.Append(nil, binary.LittleEndian, rows)
			if err != nil {
				return err
			}
			path := fmt.Sprintf("%s.%s.%d.%s", base, level, e.Threads(), way.name)
			if err := os.WriteFile(path, out, 0o666); err != nil {
				return err
			}
		}
	}
	return nil
}

// feedAtOnce is one prefill.
func feedAtOnce(e *engine.Engine, ids []int32) ([]float32, error) {
	return prefill(e, e.NewState(), ids, engine.AllLogits, nil)
}

// feedPieces prefills 1, 2, 3, … ids at a time.
func feedPieces(e *engine.Engine, ids []int32) (rows []float32, err error) {
	s := e.NewState()
	for n := 1; len(ids) > 0 && err == nil; n++ {
		n = min(n, len(ids))
		rows, err = prefill(e, s, ids[:n], engine.AllLogits, rows)
		ids = ids[n:]
	}
	return rows, err
}

// feedSteps reads runs of ids with others behind them, which are wrong, is taken
// back, and reads the ids again with those of the next run.
func feedSteps(e *engine.Engine, ids []int32) (rows []float32, err error) {
	s, room := e.NewState(), e.NewRows()
	block, again := slices.Clone(s.Block()), 0
	for at := 0; at < len(ids); {
		most := e.MaxSteps() - again
		n := min(1+at%most, len(ids)-at)
		run := slices.Clone(ids[at-again : at+n])
		for len(run) < e.MaxSteps() {
			run = append(run, ids[(at+3*len(run))%len(ids)])
		}
		if err := e.Steps(context.Background(), s, run, again, room); err != nil {
			return nil, err
		}
		for i := range n {
			rows = append(rows, room.Row(i)...)
		}
		at, again = at+n, again+n
		copy(s.Block(), block)
		s.SetPos(s.Pos() - len(run))
		if again == e.MaxSteps() || at%5 == 0 {
			if err := e.Steps(context.Background(), s, ids[at-again:at], again, nil); err != nil {
				return nil, err
			}
			copy(block, s.Block())
			again = 0
		}
	}
	return rows, nil
}

// feedPrefixes asks for the last logits of every prefix.
func feedPrefixes(e *engine.Engine, ids []int32) (rows []float32, err error) {
	s := e.NewState()
	for i := range ids {
		s.Reset()
		if rows, err = prefill(e, s, ids[:i+1], engine.LastLogits, rows); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// feedBatch decodes n sequences together, each of which reads the ids a step
// after the one before. Until then and afterwards it reads something else, of
// which nobody wants the logits. All must have the same logits.
func feedBatch(n int) feed {
	return func(e *engine.Engine, ids []int32) ([]float32, error) {
		states, logits, rows := make([]*engine.State, n), make([][]float32, n), make([][]float32, n)
		for i := range states {
			states[i] = e.NewState()
		}
		for step := range len(ids) + n - 1 {
			next := make([]int32, n)
			for i := range next {
				next[i], logits[i] = ids[(step+7*i)%len(ids)], nil
				if at := step - i; at >= 0 && at < len(ids) {
					next[i], logits[i] = ids[at], e.NewLogits()
				}
				if step == i {
					states[i].Reset()
				}
			}
			if err := e.Decode(context.Background(), states, next, logits); err != nil {
				return nil, err
			}
			for i, row := range logits {
				rows[i] = append(rows[i], row...)
			}
		}
		return rows[0], requireEqual(rows)
	}
}

// requireEqual compares the bits of the rows with those of the first.
func requireEqual(rows [][]float32) error {
	for i, row := range rows {
		if !slices.EqualFunc(row, rows[0], func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
			return fmt.Errorf("sequence %d of %d has other logits than the first", i, len(rows))
		}
	}
	return nil
}

// prefill appends the logits that it wants.
func prefill(e *engine.Engine, s *engine.State, ids []int32, want engine.Logits, rows []float32) ([]float32, error) {
	err := e.Prefill(context.Background(), s, ids, want, func(_ int, logits []float32) error {
		rows = append(rows, logits...)
		return nil
	})
	return rows, err
}

func readIDs(path string) ([]int32, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var ids []int32
	for word := range strings.FieldsSeq(string(data)) {
		id, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		ids = append(ids, int32(id))
	}
	return ids, nil
}
