package container

import (
	"encoding/json"
	"fmt"
	"io"
)

// split begins another shard when the last one holds shardBytes.
func split(tensors []Tensor, shardBytes int64) [][]Tensor {
	var shards [][]Tensor
	room := int64(0)
	for _, t := range tensors {
		if room <= 0 {
			shards = append(shards, nil)
			room = shardBytes
		}
		last := len(shards) - 1
		shards[last] = append(shards[last], t)
		room -= max(t.Bytes(), 1)
	}
	return shards
}

// index is the file that says which shard holds which tensor.
type index struct {
	Metadata struct {
		TotalSize int64 `json:"total_size"`
	} `json:"metadata"`
	WeightMap map[string]string `json:"weight_map"`
}

// sharded describes a container of several files.
type sharded struct {
	stem, ext, index string
	write            func(w io.Writer, tensors []Tensor) error // of one shard
}

// files writes the shards, stem-XXXXX-of-YYYYY, and the index.
func (s sharded) files(tensors []Tensor, shardBytes int64, create Create) error {
	if shardBytes < 1 {
		return fmt.Errorf("shards of %d bytes: want more", shardBytes)
	}
	shards := split(tensors, shardBytes)
	list := index{WeightMap: map[string]string{}}
	for i, shard := range shards {
		name := fmt.Sprintf("%s-%05d-of-%05d%s", s.stem, i+1, len(shards), s.ext)
		for _, t := range shard {
			list.WeightMap[t.Name] = name
			list.Metadata.TotalSize += t.Bytes()
		}
		if err := writeFile(create, name, func(w io.Writer) error { return s.write(w, shard) }); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(create, s.index, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}
