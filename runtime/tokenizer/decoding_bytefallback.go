package tokenizer

import (
	"strconv"
	"unicode/utf8"
)

// ByteFallback makes one token of tokens in a row that stand for bytes, as
// <0xE4> does. If they are not UTF-8 together, each is a replacement character.
type ByteFallback struct{}

const byteFallbackKind = 1

func init() { decodingKinds.register(byteFallbackKind, without[Decoding](ByteFallback{})) }

func (ByteFallback) kind() uint32 { return byteFallbackKind }

func (ByteFallback) appendParameters(dst []byte) []byte { return dst }

func (ByteFallback) begin(next stage) stage { return &byteFallback{next: next} }

type byteFallback struct {
	next stage
	run  []byte
}

func (b *byteFallback) resume() { b.next.resume() }

func (b *byteFallback) add(text []byte) {
	if c, ok := byteOf(text); ok {
		b.run = append(b.run, c)
		return
	}
	b.settle()
	b.next.add(text)
}

func (b *byteFallback) flush() {
	b.settle()
	b.next.flush()
}

// settle hands the run over.
func (b *byteFallback) settle() {
	switch {
	case len(b.run) == 0:
	case utf8.Valid(b.run):
		b.next.add(b.run)
	default:
		for range b.run {
			b.next.add(replacement)
		}
	}
	b.run = b.run[:0]
}

var replacement = []byte("\uFFFD")

// byteOf returns the byte that a token stands for.
func byteOf(token []byte) (byte, bool) {
	if len(token) != 6 || string(token[:3]) != "<0x" || token[5] != '>' {
		return 0, false
	}
	c, err := strconv.ParseUint(string(token[3:5]), 16, 8)
	return byte(c), err == nil
}
