package interp

func init() {
	register(4, permuteBy(4), "VPERMD", "VPERMPS")
	register(2, permuteBy(2), "VPERMW")
	register(8, permuteQuads, "VPERMQ", "VPERMPD")
	register(0, permuteHalves, "VPERM2F128", "VPERM2I128")
	register(1, shuffleBytes, "VPSHUFB")
	register(4, shuffleLanes2, "VSHUFPS")
	register(4, shuffleLanes1, "VPSHUFD")
	register(4, permuteInLanes, "VPERMILPS")
	register(4, unpackLow, "VUNPCKLPS", "VPUNPCKLDQ")
	register(4, unpackHigh, "VUNPCKHPS", "VPUNPCKHDQ")
	register(4, duplicate(1), "VMOVSHDUP")
	register(4, duplicate(0), "VMOVSLDUP")
	register(0, moveHighToLow, "VMOVHLPS")
	register(0, blendByConstant, "VBLENDPS", "VPBLENDD")
	register(0, extract(4), "VEXTRACTF128", "VEXTRACTI128")
	register(4, extract(4), "VEXTRACTF32X4", "VEXTRACTI32X4")
	register(8, extract(4), "VEXTRACTF64X2", "VEXTRACTI64X2")
	register(4, extract(8), "VEXTRACTF32X8", "VEXTRACTI32X8")
	register(8, extract(8), "VEXTRACTF64X4", "VEXTRACTI64X4")
	register(0, insert(4), "VINSERTF128", "VINSERTI128")
	register(4, insert(4), "VINSERTF32X4", "VINSERTI32X4")
	register(8, insert(8), "VINSERTF64X4", "VINSERTI64X4")
	register(4, packWords, "VPACKUSDW")
}

// rearrange gives an instruction that takes every lane of 32 bits from a and
// b, the two sources in Intel's order, as pick says. The constant comes first,
// where there is one.
func rearrange(s *state, in *instruction, constant bool, pick func(a, b *vector, lane int, control uint64) uint32) error {
	ops := in.ops
	var control uint64
	if constant {
		control, ops = ops[0].value, ops[1:]
	}
	n := in.destination().lanes()
	b, err := s.readVector(in, &ops[0], n)
	if err != nil {
		return err
	}
	a := b
	if len(ops) == 3 {
		a = s.vectors[ops[1].number]
	}
	var v vector
	for i := range n {
		v[i] = pick(&a, &b, i, control)
	}
	return s.writeVector(in, v)
}

// permuteBy takes elements of n bytes of the first-written operand by the
// indices in the other one.
func permuteBy(n int) handler {
	return func(s *state, in *instruction) error {
		size := in.destination().bytes
		table, err := s.readVector(in, &in.ops[0], size/4)
		if err != nil {
			return err
		}
		index := s.vectors[in.ops[1].number]
		var v vector
		for i := range size / n {
			if n == 2 {
				v.setWord(i, table.word(int(index.word(i))%(size/n)))
			} else {
				v[i] = table[index[i]%uint32(size/n)]
			}
		}
		return s.writeVector(in, v)
	}
}

// permuteQuads takes quadwords within each 256 bits by a constant, or within
// the register by indices.
func permuteQuads(s *state, in *instruction) error {
	if in.ops[0].kind == immediateOp {
		return rearrange(s, in, true, func(a, _ *vector, lane int, control uint64) uint32 {
			from := control >> (2 * (lane / 2 % 4)) & 3
			return a[lane&^7+2*int(from)+lane%2]
		})
	}
	size := in.destination().lanes() / 2
	return rearrange(s, in, false, func(index, table *vector, lane int, _ uint64) uint32 {
		return table[2*int(index.quad(lane/2)%uint64(size))+lane%2]
	})
}

// permuteHalves picks each half from the four of both sources, or zero.
func permuteHalves(s *state, in *instruction) error {
	return rearrange(s, in, true, func(a, b *vector, lane int, control uint64) uint32 {
		control = control >> (4 * (lane / 4)) & 15
		switch {
		case control&8 != 0:
			return 0
		case control&2 != 0:
			return b[4*int(control&1)+lane%4]
		}
		return a[4*int(control&1)+lane%4]
	})
}

func shuffleBytes(s *state, in *instruction) error {
	size := in.destination().bytes
	index, err := s.readVector(in, &in.ops[0], size/4)
	if err != nil {
		return err
	}
	table := s.vectors[in.ops[1].number]
	var v vector
	for i := range size {
		if at := index.byte(i); at < 128 {
			v.setByte(i, table.byte(i&^15+int(at&15)))
		}
	}
	return s.writeVector(in, v)
}

func shuffleLanes2(s *state, in *instruction) error {
	return rearrange(s, in, true, func(a, b *vector, lane int, control uint64) uint32 {
		from := lane&^3 + int(control>>(2*(lane%4))&3)
		if lane%4 < 2 {
			return a[from]
		}
		return b[from]
	})
}

func shuffleLanes1(s *state, in *instruction) error {
	return rearrange(s, in, true, func(a, _ *vector, lane int, control uint64) uint32 {
		return a[lane&^3+int(control>>(2*(lane%4))&3)]
	})
}

func permuteInLanes(s *state, in *instruction) error {
	if in.ops[0].kind == immediateOp {
		return shuffleLanes1(s, in)
	}
	return rearrange(s, in, false, func(table, index *vector, lane int, _ uint64) uint32 {
		return table[lane&^3+int(index[lane]&3)]
	})
}

func unpackLow(s *state, in *instruction) error  { return unpack(s, in, 0) }
func unpackHigh(s *state, in *instruction) error { return unpack(s, in, 2) }

func unpack(s *state, in *instruction, from int) error {
	return rearrange(s, in, false, func(a, b *vector, lane int, _ uint64) uint32 {
		at := lane&^3 + from + lane%4/2
		if lane%2 == 0 {
			return a[at]
		}
		return b[at]
	})
}

func duplicate(odd int) handler {
	return func(s *state, in *instruction) error {
		return rearrange(s, in, false, func(a, _ *vector, lane int, _ uint64) uint32 { return a[lane&^1+odd] })
	}
}

func moveHighToLow(s *state, in *instruction) error {
	return rearrange(s, in, false, func(a, b *vector, lane int, _ uint64) uint32 {
		if lane < 2 {
			return b[lane+2]
		}
		return a[lane]
	})
}

func blendByConstant(s *state, in *instruction) error {
	return rearrange(s, in, true, func(a, b *vector, lane int, control uint64) uint32 {
		if control>>lane&1 == 1 {
			return b[lane]
		}
		return a[lane]
	})
}

// extract takes one part of n lanes, into a register or memory.
func extract(n int) handler {
	return func(s *state, in *instruction) error {
		source, destination := &in.ops[1], in.destination()
		parts := source.lanes() / n
		from := n * int(in.ops[0].value%uint64(parts))
		var v vector
		copy(v[:n], s.vectors[source.number][from:])
		if destination.kind == vectorOp {
			return s.writeLanes(in, v, n)
		}
		for i := range n {
			if !s.active(in, i) {
				continue
			}
			if err := s.store(s.resolve(destination.mem)+uint64(4*i), 4, uint64(v[i])); err != nil {
				return err
			}
		}
		return nil
	}
}

// insert puts n lanes in the place of one part.
func insert(n int) handler {
	return func(s *state, in *instruction) error {
		part, err := s.readVector(in, &in.ops[1], n)
		if err != nil {
			return err
		}
		v := s.vectors[in.ops[2].number]
		parts := in.destination().lanes() / n
		copy(v[n*int(in.ops[0].value%uint64(parts)):], part[:n])
		return s.writeVector(in, v)
	}
}

// packWords narrows lanes to words with saturation, per 128 bits those of the
// first source before those of the second.
func packWords(s *state, in *instruction) error {
	n := in.destination().lanes()
	b, err := s.readVector(in, &in.ops[0], n)
	if err != nil {
		return err
	}
	a := s.vectors[in.ops[1].number]
	var v vector
	for i := range 2 * n {
		from, source := i/8*4+i%4, &a
		if i%8 >= 4 {
			source = &b
		}
		v.setWord(i, uint16(max(0, min(0xffff, int32(source[from])))))
	}
	return s.writeVector(in, v)
}
