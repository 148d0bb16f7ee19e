package app

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/mambac/mambac/runtime/safetensors"
)

// sequences passes sequences of ids on, one after the other.
type sequences func(take func(ids []int32) error) error

// windows is the rows of the integer tensors of a file, read row by row.
func (s *Session) windows(o *pplOptions) sequences {
	return func(take func([]int32) error) error { return windowsOf(o.windows, o.tensor, take) }
}

// windowsOf passes on the rows of the named tensor of a file, or of those that are
// taken when none is named.
func windowsOf(path, tensor string, take func([]int32) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	file, err := safetensors.OpenFile(f)
	if err == nil {
		err = eachWindow(file, tensor, take)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func eachWindow(file *safetensors.File, name string, take func([]int32) error) error {
	tensors, err := windowTensors(file, name)
	if err != nil {
		return err
	}
	for _, t := range tensors {
		if err := eachRow(file, t, take); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	return nil
}

// defaultWindows is the tensor that is taken when none is named.
const defaultWindows = "windows"

// windowTensors is the named tensor, the default one, or all of integers.
func windowTensors(file *safetensors.File, name string) ([]safetensors.Tensor, error) {
	wanted := name
	if wanted == "" {
		wanted = defaultWindows
	}
	if t, ok := file.Tensor(wanted); ok {
		return []safetensors.Tensor{t}, nil
	}
	var list []safetensors.Tensor
	for _, t := range file.Tensors {
		if name == "" && isInteger(t) {
			list = append(list, t)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no tensor %q of token ids; name one with --tensor", wanted)
	}
	return list, nil
}

func isInteger(t safetensors.Tensor) bool { return t.DType == "I32" || t.DType == "I64" }

// eachRow passes on the rows of a tensor [W, n+1].
func eachRow(file *safetensors.File, t safetensors.Tensor, take func([]int32) error) error {
	if !isInteger(t) || len(t.Shape) != 2 || t.Shape[1] < 2 {
		return fmt.Errorf("have %s %v, want I32 or I64 [windows, at least 2]", t.DType, t.Shape)
	}
	size, _ := safetensors.Size(t.DType)
	r := file.Section(t)
	row := make([]byte, size*t.Shape[1])
	ids := make([]int32, t.Shape[1])
	for w := range t.Shape[0] {
		if _, err := io.ReadFull(r, row); err != nil {
			return err
		}
		if err := decodeIDs(ids, row, size); err != nil {
			return fmt.Errorf("window %d: %w", w, err)
		}
		if err := take(ids); err != nil {
			return fmt.Errorf("window %d: %w", w, err)
		}
	}
	return nil
}

// decodeIDs reads integers of 4 or 8 bytes.
func decodeIDs(ids []int32, row []byte, size int) error {
	for i := range ids {
		if size == 4 {
			ids[i] = int32(binary.LittleEndian.Uint32(row[4*i:]))
			continue
		}
		v := int64(binary.LittleEndian.Uint64(row[8*i:]))
		if v < 0 || v > math.MaxInt32 {
			return fmt.Errorf("token %d: %d is no token id", i, v)
		}
		ids[i] = int32(v)
	}
	return nil
}
