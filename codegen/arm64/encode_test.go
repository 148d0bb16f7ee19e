package arm64

import (
	"encoding/binary"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// TestEncodings disassembles every instruction that is written as a word, with
// registers that set each bit of their fields apart.
func TestEncodings(t *testing.T) {
	seen := map[string]bool{}
	for form := range encodings {
		for _, r := range [][]vector{{0, 1, 2}, {31, 0, 0}, {0, 31, 0}, {0, 0, 31}, {21, 10, 19}} {
			for lane := range lanes {
				i := example(form, r, lane)
				requireEncoding(t, i)
				seen[i.manual()] = true
			}
		}
	}
	if len(seen) < 5*len(encodings) {
		t.Errorf("%d different instructions for %d encodings", len(seen), len(encodings))
	}
}

// TestEmittedEncodings does so for every one that kernels contain, and proves
// that none of the encodings is there for nothing.
func TestEmittedEncodings(t *testing.T) {
	unused := map[string]bool{}
	for form := range encodings {
		unused[form] = true
	}
	for i := range emitted(t) {
		if _, ok := i.word(); ok {
			requireEncoding(t, i)
			delete(unused, i.form())
		}
	}
	for form := range unused {
		t.Errorf("no kernel uses %s any more", form)
	}
}

// example is an instruction of a form.
func example(form string, r []vector, lane int) Instruction {
	fields := strings.Fields(form)
	i := Instruction{mnemonic: fields[0]}
	for n, f := range fields[1:] {
		if f == "lane" {
			i.operands = append(i.operands, element{r[n], lane})
		} else {
			i.operands = append(i.operands, arranged{r[n], arrangement(f)})
		}
	}
	return i
}

func requireEncoding(t *testing.T, i Instruction) {
	t.Helper()
	word, ok := i.word()
	if !ok {
		t.Fatalf("%s has no encoding", i.manual())
	}
	got, err := arm64asm.Decode(binary.LittleEndian.AppendUint32(nil, word))
	if err != nil || got.String() != i.manual() {
		t.Errorf("%#08x is %v (%v), want %s", word, got, err, i.manual())
	}
}
