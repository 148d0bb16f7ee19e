package tokenizer

// Spaces puts a space between tokens: what a tokenizer without decoder does.
type Spaces struct{}

const spacesKind = 5

func init() { decodingKinds.register(spacesKind, without[Decoding](Spaces{})) }

func (Spaces) kind() uint32 { return spacesKind }

func (Spaces) appendParameters(dst []byte) []byte { return dst }

func (Spaces) begin(next stage) stage { return &spacing{next: next} }

type spacing struct {
	next  stage
	begun bool
}

func (s *spacing) resume() {
	s.begun = true
	s.next.resume()
}

func (s *spacing) add(text []byte) {
	if s.begun {
		s.next.add([]byte{' '})
	}
	s.begun = true
	s.next.add(text)
}

func (s *spacing) flush() {
	s.begun = false
	s.next.flush()
}
