package kerneltest

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"
)

// Digest runs the case and names what came of it, bit by bit but for the kind
// of NaN, so that results of different processes can be compared.
func (c *Case) Digest(run func(*Call) error) (string, error) {
	call, err := c.run(run)
	if err != nil {
		return "", err
	}
	h := fnv.New64a()
	for _, name := range slices.Sorted(maps.Keys(c.outputs)) {
		for _, v := range call.F32(name) {
			bits := math.Float32bits(v)
			if v != v {
				bits = math.Float32bits(float32(math.NaN()))
			}
			h.Write(binary.LittleEndian.AppendUint32(nil, bits))
		}
	}
	return fmt.Sprintf("%016x", h.Sum64()), nil
}
