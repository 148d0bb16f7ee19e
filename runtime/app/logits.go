package app

import (
	"context"
	"encoding/binary"
	"io"
	"math"

	"github.com/mambac/mambac/runtime/atomicfile"
	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/safetensors"
)

var logitsCommand = Command{
	Name:    "logits",
	Summary: "write the logits of token ids to a file",
	Run:     (*Session).logits,
	Help: `Writes the logits that follow each of the ids, as tensor "logits" [T,V] f32.

  %[1]s logits --ids 1,2,3 -o logits.safetensors
  %[1]s logits --ids 1,2,3 -o logits.safetensors --by decode

  --ids 1,2,3          token ids, taken as they are
  -o FILE.safetensors  where to write
  --by prefill|decode  all at once or token after token (default prefill);
                       both give the same bits
  --threads N          workers (default: physical cores available)
  --mmap               leave the weights to the page cache
`,
}

func (s *Session) logits(args []string) error {
	f := NewFlags("logits")
	list := f.String("ids", "", "")
	path := f.String("o", "", "")
	by := f.String("by", "prefill", "")
	var o Workers
	o.Register(f)
	if _, err := Parse(f, args, 0); err != nil {
		return err
	}
	ids, err := ParseIDs(*list)
	switch {
	case err != nil:
		return err
	case len(ids) == 0:
		return Usagef("--ids is missing")
	case *path == "":
		return Usagef("-o FILE.safetensors is missing")
	case *by != "prefill" && *by != "decode":
		return Usagef("--by %s: want prefill or decode", *by)
	}
	m, err := s.Start(o)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.Engine.CheckIDs(ids); err != nil {
		return err
	}
	return atomicfile.Write(*path, 0o666, func(w io.Writer) error { return s.writeLogits(w, m.Engine, ids, *by == "decode") })
}

// writeLogits streams row after row.
func (s *Session) writeLogits(w io.Writer, e *engine.Engine, ids []int32, step bool) error {
	shape := []int{len(ids), e.Shape().Vocab}
	out, err := safetensors.NewWriter(w, []safetensors.Tensor{{Name: "logits", DType: "F32", Shape: shape}}, nil)
	if err != nil {
		return err
	}
	var row []byte
	sink := func(_ int, logits []float32) error {
		row = row[:0]
		for _, v := range logits {
			row = binary.LittleEndian.AppendUint32(row, math.Float32bits(v))
		}
		_, err := out.Write(row)
		return err
	}
	if step {
		err = decodeEach(s.Context, e, ids, sink)
	} else {
		err = e.Prefill(s.Context, e.NewState(), ids, engine.AllLogits, sink)
	}
	if err != nil {
		return err
	}
	return out.Close()
}

// decodeEach feeds ids one by one to a fresh sequence.
func decodeEach(ctx context.Context, e *engine.Engine, ids []int32, sink engine.Sink) error {
	states, logits := []*engine.State{e.NewState()}, [][]float32{e.NewLogits()}
	for i := range ids {
		if err := e.Decode(ctx, states, ids[i:i+1], logits); err != nil {
			return err
		}
		if err := sink(i, logits[0]); err != nil {
			return err
		}
	}
	return nil
}
