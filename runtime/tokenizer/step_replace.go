package tokenizer

// Replace puts a text in the place of every match.
type Replace struct {
	Pattern Expression
	By      string
}

const replaceKind = 5

func init() { normalizerKinds.register(replaceKind, readReplace) }

func (r Replace) kind() uint32 { return replaceKind }

func (r Replace) appendParameters(dst []byte) []byte {
	return appendText(r.Pattern.append(dst), r.By)
}

func readReplace(parameters []byte) (Normalizer, error) {
	f := fields{rest: parameters}
	pattern, err := f.expression()
	if err != nil {
		return nil, err
	}
	return Replace{Pattern: pattern, By: f.text()}, f.end("Replace")
}

func (r Replace) normalize(text string) (string, error) { return r.Pattern.replaceAll(text, r.By) }

// Apply is the step on one text.
func (r Replace) Apply(text string) (string, error) { return r.normalize(text) }
