package evex

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// encodings are bytes that LLVM's assembler makes, with what binutils reads in
// them.
var encodings = []struct {
	ops         []operand.Op
	code, meant string
}{
	{[]operand.Op{reg.Z1, reg.Z2, reg.Z3}, "62f26e4852d9", "%zmm1,%zmm2,%zmm3"},
	{[]operand.Op{reg.Z31, reg.Z30, reg.Z29}, "62020e4052ef", "%zmm31,%zmm30,%zmm29"},
	{[]operand.Op{operand.Mem{Base: reg.RAX}, reg.Z2, reg.Z3}, "62f26e485218", "(%rax),%zmm2,%zmm3"},
	{[]operand.Op{operand.Mem{Base: reg.RAX, Disp: 64}, reg.Z2, reg.Z3}, "62f26e48525801", "0x40(%rax),%zmm2,%zmm3"},
	{[]operand.Op{operand.Mem{Base: reg.R13, Disp: 68}, reg.Z17, reg.Z9}, "62527640528d44000000", "0x44(%r13),%zmm17,%zmm9"},
	{[]operand.Op{operand.Mem{Base: reg.R12, Disp: 8128}, reg.Z2, reg.Z3}, "62d26e48525c247f", "0x1fc0(%r12),%zmm2,%zmm3"},
	{[]operand.Op{operand.Mem{Base: reg.RBP, Disp: 8192}, reg.Z2, reg.Z3}, "62f26e48529d00200000", "0x2000(%rbp),%zmm2,%zmm3"},
	{[]operand.Op{operand.Mem{Base: reg.RBP}, reg.Z2, reg.Z3}, "62f26e48525d00", "0x0(%rbp),%zmm2,%zmm3"},
	{[]operand.Op{operand.Mem{Base: reg.RDI, Disp: -8192}, reg.Z2, reg.Z3}, "62f26e48525f80", "-0x2000(%rdi),%zmm2,%zmm3"},
}

func TestEncoding(t *testing.T) {
	for _, e := range encodings {
		code, err := encodeVDPBF16PS(e.ops)
		if got := fmt.Sprintf("%x", code); err != nil || got != e.code {
			t.Errorf("%s: have %s (%v), want %s", e.meant, got, err, e.code)
		}
	}
	for _, m := range []operand.Mem{{Base: reg.RAX, Index: reg.RCX, Scale: 8}, {Symbol: operand.Symbol{Name: "x"}, Base: reg.StaticBase}} {
		if code, err := encodeVDPBF16PS([]operand.Op{m, reg.Z2, reg.Z3}); err == nil {
			t.Errorf("%s: encoded as %x", m.Asm(), code)
		}
	}
}

// TestDisassembly has binutils read what every register is encoded as.
func TestDisassembly(t *testing.T) {
	objdump, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("no objdump (Debian has it in binutils); TestEncoding holds some forms")
	}
	var code []byte
	var want []string
	add := func(meant string, ops ...operand.Op) {
		bytes, err := encodeVDPBF16PS(ops)
		if err != nil {
			t.Fatal(err)
		}
		code, want = append(code, bytes...), append(want, "vdpbf16ps "+meant)
	}
	for _, e := range encodings {
		add(e.meant, e.ops...)
	}
	for _, z := range reg.Vector.Registers() {
		if z.Size() != 64 {
			continue
		}
		add(fmt.Sprintf("%%zmm%d,%%zmm1,%%zmm2", z.PhysicalIndex()), z, reg.Z1, reg.Z2)
		add(fmt.Sprintf("%%zmm1,%%zmm%d,%%zmm2", z.PhysicalIndex()), reg.Z1, z, reg.Z2)
		add(fmt.Sprintf("%%zmm1,%%zmm2,%%zmm%d", z.PhysicalIndex()), reg.Z1, reg.Z2, z)
	}
	file := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(file, code, 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(objdump, "-D", "-b", "binary", "-m", "i386:x86-64", "--no-show-raw-insn", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		if _, text, ok := strings.Cut(line, ":\t"); ok {
			got = append(got, strings.Join(strings.Fields(text), " "))
		}
	}
	if have, want := strings.Join(got, "\n"), strings.Join(want, "\n"); have != want {
		t.Errorf("have:\n%s\nwant:\n%s", have, want)
	}
}
