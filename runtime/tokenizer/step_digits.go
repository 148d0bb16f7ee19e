package tokenizer

import "unicode"

// Digits splits off numbers, by characters or by runs.
type Digits struct{ Individual bool }

const digitsKind = 3

func init() { preTokenizerKinds.register(digitsKind, readDigits) }

func (d Digits) kind() uint32 { return digitsKind }

func (d Digits) appendParameters(dst []byte) []byte {
	if d.Individual {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func readDigits(parameters []byte) (PreTokenizer, error) {
	f := fields{rest: parameters}
	return Digits{Individual: f.flags(2) == 1}, f.end("Digits")
}

func (d Digits) split(text string, first bool, yield func(string, bool)) error {
	behavior := Contiguous
	if d.Individual {
		behavior = Isolated
	}
	splitClass(text, first, behavior, yield, unicode.IsNumber)
	return nil
}
