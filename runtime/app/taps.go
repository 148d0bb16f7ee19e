package app

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"

	"github.com/mambac/mambac/runtime/atomicfile"
	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/safetensors"
)

// tapsCommand is of programs that were compiled with taps.
var tapsCommand = Command{
	Name:    "taps",
	Summary: "write what lies between ids and logits to a file",
	Run:     (*Session).writeTaps,
	Help: `Feeds windows of token ids, each from a fresh state, and writes the values that
the program was compiled to hand out, each as a tensor [T,W] f32 of its name,
with a row for every id of all windows, or for every so many of each.

  %[1]s taps --windows windows.safetensors -o taps.safetensors

  --windows FILE.safetensors  token ids, I32 or I64 [windows, ids]
  --tensor NAME               which tensor (default "windows", or else all
                              of integers)
  --every N                   rows for the first id and every Nth behind it
  -o FILE.safetensors         where to write
  --threads N                 workers (default: physical cores available)
  --mmap                      leave the weights to the page cache
`,
}

func (s *Session) writeTaps(args []string) error {
	f := NewFlags("taps")
	var in pplOptions
	f.StringVar(&in.windows, "windows", "", "")
	f.StringVar(&in.tensor, "tensor", "", "")
	every := f.Int("every", 1, "")
	path := f.String("o", "", "")
	var o Workers
	o.Register(f)
	if _, err := Parse(f, args, 0); err != nil {
		return err
	}
	switch {
	case in.windows == "":
		return Usagef("--windows FILE.safetensors is missing")
	case *every < 1:
		return Usagef("--every %d: want at least 1", *every)
	case *path == "":
		return Usagef("-o FILE.safetensors is missing")
	}
	m, err := s.openArtifact()
	if err != nil {
		return err
	}
	defer m.Close()
	e, err := m.newEngine(o)
	if err != nil {
		return err
	}
	defer e.Close()
	return atomicfile.Place(*path, 0o666, func(f *os.File) error {
		return s.tapWindows(f, e, s.windows(&in), *every)
	})
}

// tapWindows writes a file whose rows come in another order than they stand in:
// all taps of a chunk, then those of the next.
func (s *Session) tapWindows(f *os.File, e *engine.Engine, windows sequences, every int) error {
	total := 0
	err := windows(func(ids []int32) error {
		total += (len(ids) + every - 1) / every
		return e.CheckIDs(ids)
	})
	if err != nil {
		return err
	}
	offsets, err := tapHeader(f, e.Taps(), total)
	if err != nil {
		return err
	}
	before := 0
	var row []byte
	return windows(func(ids []int32) error {
		err := e.PrefillTaps(s.Context, e.NewState(), ids, func(t *engine.Tap, i int, values []float32) error {
			if i%every != 0 {
				return nil
			}
			row = row[:0]
			for _, v := range values {
				row = binary.LittleEndian.AppendUint32(row, math.Float32bits(v))
			}
			_, err := f.WriteAt(row, offsets[t.Name]+int64(before+i/every)*int64(len(row)))
			return err
		})
		before += (len(ids) + every - 1) / every
		return err
	})
}

// tapHeader begins a file of taps, rows high, and tells where each one's values
// go.
func tapHeader(f *os.File, taps []engine.Tap, rows int) (map[string]int64, error) {
	var tensors []safetensors.Tensor
	for _, t := range taps {
		tensors = append(tensors, safetensors.Tensor{Name: t.Name, DType: "F32", Shape: []int{rows, t.Width}})
	}
	var header bytes.Buffer
	if _, err := safetensors.NewWriter(&header, tensors, nil); err != nil {
		return nil, err
	}
	if _, err := f.Write(header.Bytes()); err != nil {
		return nil, err
	}
	offsets, at := map[string]int64{}, int64(header.Len())
	for _, t := range taps {
		offsets[t.Name] = at
		at += 4 * int64(rows) * int64(t.Width)
	}
	if err := f.Truncate(at); err != nil {
		return nil, fmt.Errorf("%d bytes of taps: %w", at, err)
	}
	return offsets, nil
}
