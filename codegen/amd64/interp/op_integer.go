package interp

func init() {
	for suffix, n := range map[string]int{"L": 4, "Q": 8} {
		register(0, move(n), "MOV"+suffix)
		register(0, compare(n, sub), "CMP"+suffix)
		register(0, test(n), "TEST"+suffix)
		register(0, binary2(n, add), "ADD"+suffix)
		register(0, binary2(n, sub), "SUB"+suffix)
		register(0, binary2(n, logic(func(a, b uint64) uint64 { return a & b })), "AND"+suffix)
		register(0, binary2(n, logic(func(a, b uint64) uint64 { return a | b })), "OR"+suffix)
		register(0, binary2(n, logic(func(a, b uint64) uint64 { return a ^ b })), "XOR"+suffix)
		register(0, step(n, 1), "INC"+suffix)
		register(0, step(n, ^uint64(0)), "DEC"+suffix)
		register(0, shift(n, func(v, by uint64) uint64 { return v << by }), "SHL"+suffix)
		register(0, shift(n, func(v, by uint64) uint64 { return v >> by }), "SHR"+suffix)
		register(0, shift(n, func(v, by uint64) uint64 { return uint64(signed(v, n) >> by) }), "SAR"+suffix)
		register(0, multiply(n), "IMUL"+suffix, "IMUL3"+suffix)
		register(0, negate(n), "NEG"+suffix)
		register(0, zeroHigh(n), "BZHI"+suffix)
		register(0, effectiveAddress(n), "LEA"+suffix)
		register(0, shiftBy(n), "SHLX"+suffix)
	}
	register(0, widen(2, false), "MOVWLZX", "MOVWQZX")
	register(0, widen(4, true), "MOVLQSX")
	register(0, widen(4, false), "MOVLQZX")
}

// arithmetic gives a result of n bytes and the flags it sets.
type arithmetic func(a, b uint64, n int) (uint64, flags)

func move(n int) handler {
	return func(s *state, in *instruction) error {
		value, err := s.readGeneral(&in.ops[0], n)
		if err != nil {
			return err
		}
		return s.writeGeneral(&in.ops[1], n, value)
	}
}

// widen moves n bytes with sign or zero extension.
func widen(n int, sign bool) handler {
	return func(s *state, in *instruction) error {
		value, err := s.readGeneral(&in.ops[0], n)
		if err != nil {
			return err
		}
		if sign {
			value = uint64(signed(value, n))
		}
		return s.writeGeneral(&in.ops[1], 8, value)
	}
}

// operands reads the source, which comes first in Go's order, and the
// destination.
func (s *state) operands(in *instruction, n int) (source, destination uint64, err error) {
	if source, err = s.readGeneral(&in.ops[0], n); err != nil {
		return
	}
	destination, err = s.readGeneral(&in.ops[1], n)
	return
}

func binary2(n int, f arithmetic) handler {
	return func(s *state, in *instruction) error {
		source, destination, err := s.operands(in, n)
		if err != nil {
			return err
		}
		var value uint64
		value, s.flags = f(destination, source, n)
		return s.writeGeneral(&in.ops[1], n, value)
	}
}

// compare is the one instruction that has its operands in the order in which
// they are compared.
func compare(n int, f arithmetic) handler {
	return func(s *state, in *instruction) error {
		first, second, err := s.operands(in, n)
		_, s.flags = f(first, second, n)
		return err
	}
}

func test(n int) handler {
	and := logic(func(a, b uint64) uint64 { return a & b })
	return compare(n, and)
}

func add(a, b uint64, n int) (uint64, flags) {
	sum := truncate(a+b, n)
	f := resultFlags(sum, n)
	f.carry = sum < a
	f.overflow = signed(a, n) < 0 == (signed(b, n) < 0) && f.sign != (signed(a, n) < 0)
	return sum, f
}

func sub(a, b uint64, n int) (uint64, flags) {
	difference := truncate(a-b, n)
	f := resultFlags(difference, n)
	f.carry = a < b
	f.overflow = signed(a, n) < 0 != (signed(b, n) < 0) && f.sign != (signed(a, n) < 0)
	return difference, f
}

func logic(f func(a, b uint64) uint64) arithmetic {
	return func(a, b uint64, n int) (uint64, flags) {
		value := f(a, b)
		return value, resultFlags(value, n)
	}
}

func resultFlags(value uint64, n int) flags {
	return flags{zero: value == 0, sign: signed(value, n) < 0}
}

// signed is the low n bytes as a signed number.
func signed(value uint64, n int) int64 { return int64(value<<(64-8*n)) >> (64 - 8*n) }

// step adds a constant and leaves the carry flag alone.
func step(n int, by uint64) handler {
	return func(s *state, in *instruction) error {
		value, err := s.readGeneral(&in.ops[0], n)
		if err != nil {
			return err
		}
		carry := s.flags.carry
		value, s.flags = add(value, truncate(by, n), n)
		s.flags.carry = carry
		return s.writeGeneral(&in.ops[0], n, value)
	}
}

func shift(n int, f func(value, by uint64) uint64) handler {
	return func(s *state, in *instruction) error {
		by, err := s.readGeneral(&in.ops[0], 1)
		if err != nil {
			return err
		}
		value, err := s.readGeneral(&in.ops[1], n)
		if err != nil {
			return err
		}
		if by &= uint64(8*n - 1); by == 0 {
			return nil
		}
		value = truncate(f(value, by), n)
		s.flags = resultFlags(value, n)
		return s.writeGeneral(&in.ops[1], n, value)
	}
}

// shiftBy is a shift by a register that sets no flags.
func shiftBy(n int) handler {
	return func(s *state, in *instruction) error {
		by, value, err := s.operands(in, n)
		if err != nil {
			return err
		}
		return s.writeGeneral(&in.ops[2], n, value<<(by&uint64(8*n-1)))
	}
}

// multiply has two operands, or three with a constant first.
func multiply(n int) handler {
	return func(s *state, in *instruction) error {
		a, b, err := s.operands(in, n)
		if err != nil {
			return err
		}
		return s.writeGeneral(in.destination(), n, a*b)
	}
}

func negate(n int) handler {
	return func(s *state, in *instruction) error {
		value, err := s.readGeneral(&in.ops[0], n)
		if err != nil {
			return err
		}
		value, s.flags = sub(0, value, n)
		return s.writeGeneral(&in.ops[0], n, value)
	}
}

// zeroHigh keeps the lowest bits, as many as the first operand says.
func zeroHigh(n int) handler {
	return func(s *state, in *instruction) error {
		count, value, err := s.operands(in, n)
		if err != nil {
			return err
		}
		if count &= 255; count < uint64(8*n) {
			value &= 1<<count - 1
		}
		s.flags = resultFlags(value, n)
		s.flags.carry = count >= uint64(8*n)
		return s.writeGeneral(&in.ops[2], n, value)
	}
}

func effectiveAddress(n int) handler {
	return func(s *state, in *instruction) error {
		return s.writeGeneral(&in.ops[1], n, s.resolve(in.ops[0].mem))
	}
}
