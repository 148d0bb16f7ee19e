package interp

func init() {
	register(4, broadcast(4), "VBROADCASTSS", "VPBROADCASTD")
	register(8, broadcast(8), "VBROADCASTSD", "VPBROADCASTQ")
	register(0, broadcast(2), "VPBROADCASTW")
	register(0, broadcast(16), "VBROADCASTF128", "VBROADCASTI128")
	register(4, broadcast(16), "VBROADCASTF32X4", "VBROADCASTI32X4")
	register(4, broadcast(32), "VBROADCASTF32X8", "VBROADCASTI32X8")
	register(8, broadcast(32), "VBROADCASTF64X4", "VBROADCASTI64X4")
}

// broadcast repeats the first n bytes of the source.
func broadcast(n int) handler {
	return func(s *state, in *instruction) error {
		source := &in.ops[0]
		var v vector
		if n == 4 && source.kind == memoryOp { // most often
			value, err := s.load(s.resolve(source.mem), n)
			for i := range in.destination().lanes() {
				v[i] = uint32(value)
			}
			if err != nil {
				return err
			}
			return s.writeVector(in, v)
		}
		for i := range n {
			value, err := s.sourceByte(source, i)
			if err != nil {
				return err
			}
			v.setByte(i, value)
		}
		for i := n; i < in.destination().bytes; i++ {
			v.setByte(i, v.byte(i%n))
		}
		return s.writeVector(in, v)
	}
}

func (s *state) sourceByte(o *op, i int) (byte, error) {
	switch o.kind {
	case vectorOp:
		return s.vectors[o.number].byte(i), nil
	case generalOp:
		return byte(s.general[o.number] >> (8 * i)), nil
	}
	value, err := s.load(s.resolve(o.mem)+uint64(i), 1)
	return byte(value), err
}
