package arm64

import (
	"bytes"
	"fmt"
	"strings"
)

// File is the functions of one level.
type File struct {
	Functions []*Function
}

// Print writes the file in the syntax of Go's assembler.
func (f *File) Print(header string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "// %s\n\n//go:build arm64 && !purego\n\n#include \"textflag.h\"\n", header)
	if f.hasWords() {
		b.WriteString("\n// WORD is an instruction that Go's assembler has no name for; the comment has\n" +
			"// it as the manual does, destination first. FMOVQ moves a whole vector register.\n")
	}
	for _, fn := range f.Functions {
		fn.print(&b)
	}
	return b.Bytes()
}

// hasWords reports whether some instruction is written as its encoding.
func (f *File) hasWords() bool {
	for _, fn := range f.Functions {
		for _, n := range fn.nodes {
			if i, ok := n.(Instruction); ok {
				if _, ok := i.word(); ok {
					return true
				}
			}
		}
	}
	return false
}

func (f *Function) print(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n// func %s%s\n", f.name, f.signature)
	fmt.Fprintf(b, "TEXT ·%s(SB), NOSPLIT, $0-%d\n", f.name, f.bytes)
	for i, n := range f.nodes {
		switch n := n.(type) {
		case comment:
			if i > 0 {
				b.WriteByte('\n')
			}
			for _, line := range n {
				fmt.Fprintf(b, "\t// %s\n", line)
			}
		case label:
			fmt.Fprintf(b, "%s:\n", n)
		case Instruction:
			fmt.Fprintf(b, "\t%s\n", n.text())
		}
	}
}

// text is the instruction as Go's assembler reads it.
func (i Instruction) text() string {
	if word, ok := i.word(); ok {
		return fmt.Sprintf("WORD   $0x%08x // %s", word, i.manual())
	}
	var names []string
	for _, o := range i.operands {
		names = append(names, o.String())
	}
	if names == nil {
		return i.mnemonic
	}
	return fmt.Sprintf("%-6s %s", i.mnemonic, strings.Join(names, ", "))
}
