package app

import (
	"context"
	"encoding/binary"
	"io"
	"math"

	"github.com/mambac/mambac/runtime/engine"
	"github.com/mambac/mambac/runtime/safetensors"
)

var logitsCommand = command{
	name:    "logits",
	summary: "write the logits of token ids to a file",
	run:     (*session).logits,
	help: `Writes the logits that follow each of the ids, as tensor "logits" [T,V] f32.

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

func (s *session) logits(args []string) error {
	f := newFlags("logits")
	list := f.String("ids", "", "")
	path := f.String("o", "", "")
	by := f.String("by", "prefill", "")
	var o workers
	o.register(f)
	if _, err := parse(f, args, 0); err != nil {
		return err
	}
	ids, err := parseIDs(*list)
	switch {
	case err != nil:
		return err
	case len(ids) == 0:
		return usagef("--ids is missing")
	case *path == "":
		return usagef("-o FILE.safetensors is missing")
	case *by != "prefill" && *by != "decode":
		return usagef("--by %s: want prefill or decode", *by)
	}
	m, err := s.load()
	if err != nil {
		return err
	}
	defer m.close()
	e, err := m.engine(o)
	if err != nil {
		return err
	}
	defer e.Close()
	if err := e.CheckIDs(ids); err != nil {
		return err
	}
	return writeFile(*path, func(w io.Writer) error { return s.writeLogits(w, e, ids, *by == "decode") })
}

// writeLogits streams row after row.
func (s *session) writeLogits(w io.Writer, e *engine.Engine, ids []int32, step bool) error {
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
		err = decodeEach(s.ctx, e, ids, sink)
	} else {
		err = e.Prefill(s.ctx, e.NewState(), ids, engine.AllLogits, sink)
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
