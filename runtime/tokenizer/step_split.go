package tokenizer

// Split splits a text by the matches of an expression.
type Split struct {
	Pattern  Expression
	Behavior Behavior
	// Invert: what lies between the matches counts as match, and they do not.
	Invert bool
}

const splitKind = 2

func init() { preTokenizerKinds.register(splitKind, readSplit) }

func (s Split) kind() uint32 { return splitKind }

func (s Split) appendParameters(dst []byte) []byte {
	flags := byte(s.Behavior) << 1
	if s.Invert {
		flags |= 1
	}
	return s.Pattern.append(append(dst, flags))
}

func readSplit(parameters []byte) (PreTokenizer, error) {
	f := fields{rest: parameters}
	flags := f.flags(byte(Behaviors) << 1)
	pattern, err := f.expression()
	if err != nil {
		return nil, err
	}
	return Split{Pattern: pattern, Behavior: Behavior(flags >> 1), Invert: flags&1 != 0}, f.end("Split")
}

func (s Split) split(text string, first bool, yield func(string, bool)) error {
	parts := splitter{text: text, behavior: s.Behavior, first: first, yield: yield}
	done := 0
	err := s.Pattern.Find(text, func(start, end int) {
		if done < start {
			parts.add(done, start, s.Invert)
		}
		parts.add(start, end, !s.Invert)
		done = end
	})
	if done < len(text) {
		parts.add(done, len(text), s.Invert)
	}
	parts.flush()
	return err
}
