package container

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mambac/mambac/runtime/safetensors"
)

func init() {
	register(format{name: "safetensors", write: safetensorsFile, holes: true})
	register(format{name: "safetensors-sharded", write: safetensorsShards, holes: true})
}

func safetensorsFile(tensors []Tensor, _ int64, create Create) error {
	return writeFile(create, "model.safetensors", func(w io.Writer) error { return writeSafetensors(w, untied(tensors)) })
}

func safetensorsShards(tensors []Tensor, shardBytes int64, create Create) error {
	s := sharded{"model", ".safetensors", "model.safetensors.index.json", writeSafetensors}
	return s.files(untied(tensors), shardBytes, create)
}

// untied leaves out the second names: the format has no shared values.
func untied(tensors []Tensor) []Tensor {
	var kept []Tensor
	for _, t := range tensors {
		if t.Tied == "" {
			kept = append(kept, t)
		}
	}
	return kept
}

func writeSafetensors(w io.Writer, tensors []Tensor) error {
	header := make([]safetensors.Tensor, len(tensors))
	for i, t := range tensors {
		header[i] = safetensors.Tensor{Name: t.Name, DType: strings.ToUpper(t.DType.String()), Shape: t.Shape}
	}
	out, err := safetensors.NewWriter(w, header, map[string]string{"format": "pt"})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(tensors, func(t Tensor) bool { return t.Source == nil }) {
		return skipAll(w, tensors)
	}
	for _, t := range tensors {
		if err := writeValues(out, t); err != nil {
			return err
		}
	}
	return out.Close()
}

// skipAll leaves one hole in place of all values.
func skipAll(w io.Writer, tensors []Tensor) error {
	n := int64(0)
	for _, t := range tensors {
		if t.Source != nil {
			return fmt.Errorf("%s: has values, others have none", t.Name)
		}
		n += t.Bytes()
	}
	return skip(w, n)
}
