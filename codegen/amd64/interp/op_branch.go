package interp

func init() {
	register(0, func(s *state, _ *instruction) error { s.done = true; return nil }, "RET")
	register(0, func(s *state, in *instruction) error { s.next = in.target; return nil }, "JMP")
	register(0, func(*state, *instruction) error { return nil },
		"NOP", "PREFETCHT0", "PREFETCHT1", "PREFETCHT2", "PREFETCHNTA")
	conditions := map[string]func(flags) bool{
		"EQ": func(f flags) bool { return f.zero },
		"LT": func(f flags) bool { return f.sign != f.overflow },
		"LE": func(f flags) bool { return f.zero || f.sign != f.overflow },
		"CS": func(f flags) bool { return f.carry },
		"LS": func(f flags) bool { return f.carry || f.zero },
		"MI": func(f flags) bool { return f.sign },
	}
	names := map[string][2][]string{ // jumps if so, jumps if not
		"EQ": {{"JE", "JEQ", "JZ"}, {"JNE", "JNZ"}},
		"LT": {{"JL", "JLT"}, {"JGE"}},
		"LE": {{"JLE"}, {"JG", "JGT"}},
		"CS": {{"JB", "JCS", "JLO"}, {"JAE", "JCC", "JHS"}},
		"LS": {{"JBE", "JLS"}, {"JA", "JHI"}},
		"MI": {{"JMI", "JS"}, {"JPL", "JNS"}},
	}
	for name, holds := range conditions {
		register(0, jump(holds), names[name][0]...)
		register(0, jump(func(f flags) bool { return !holds(f) }), names[name][1]...)
	}
}

func jump(holds func(flags) bool) handler {
	return func(s *state, in *instruction) error {
		if holds(s.flags) {
			s.next = in.target
		}
		return nil
	}
}
