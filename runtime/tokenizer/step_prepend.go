package tokenizer

// Prepend puts a text before every text that is not empty.
type Prepend struct{ Text string }

const prependKind = 6

func init() { normalizerKinds.register(prependKind, readPrepend) }

func (p Prepend) kind() uint32 { return prependKind }

func (p Prepend) appendParameters(dst []byte) []byte { return appendText(dst, p.Text) }

func readPrepend(parameters []byte) (Normalizer, error) {
	f := fields{rest: parameters}
	return Prepend{f.text()}, f.end("Prepend")
}

func (p Prepend) normalize(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	return p.Text + text, nil
}
