package interp

import (
	"slices"
	"strings"
	"testing"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/reg"
)

// open compiles one function f with the given parameters.
func open(t *testing.T, params string, body func(*build.Context)) (*File, error) {
	t.Helper()
	c := build.NewContext()
	c.Function("f")
	c.SignatureExpr("func(" + params + ")")
	body(c)
	c.RET()
	file, err := c.Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := pass.Compile.Execute(file); err != nil {
		t.Fatal(err)
	}
	return Open(file)
}

func mustOpen(t *testing.T, params string, body func(*build.Context)) *File {
	t.Helper()
	f, err := open(t, params, body)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestLoop runs y[i] = 2·x[i] + 1, 8 at a time, with a loop and data.
func TestLoop(t *testing.T) {
	f := mustOpen(t, "y, x []float32, blocks int", func(c *build.Context) {
		two, one := c.YMM(), c.YMM()
		y, x := c.Load(c.Param("y").Base(), c.GP64()), c.Load(c.Param("x").Base(), c.GP64())
		blocks := c.Load(c.Param("blocks"), c.GP64())
		c.VBROADCASTSS(c.ConstData("two", operand.F32(2)), two)
		c.VBROADCASTSS(c.ConstData("one", operand.F32(1)), one)
		c.Label("loop")
		v := c.YMM()
		c.VMOVUPS(operand.Mem{Base: x}, v)
		c.VFMADD213PS(one, two, v)
		c.VMOVUPS(v, operand.Mem{Base: y})
		c.ADDQ(operand.U8(32), x)
		c.LEAQ(operand.Mem{Base: y, Disp: 32}, y)
		c.DECQ(blocks)
		c.JNZ(operand.LabelRef("loop"))
		c.VZEROUPPER()
	})
	x := []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	y := make([]float32, len(x))
	if err := f.Run("f", y, x, 2); err != nil {
		t.Fatal(err)
	}
	if y[0] != 1 || y[15] != 31 {
		t.Errorf("y = %v", y)
	}
	if err := f.Run("f", x, x, 2); err != nil || !slices.Equal(x, y) {
		t.Errorf("in place: %v, %v", x, err)
	}
	wantError(t, f.Run("f", y, x, 3), "VMOVUPS (CX), Y2: 4 bytes at offset 64 of argument 1, which has 64")
	wantError(t, f.Run("f", y[:15], x, 2), "4 bytes at offset 60 of argument 0, which has 60")
	wantError(t, f.Run("f", y, x), "have 48 bytes of arguments, the function takes 56")
	wantError(t, f.Run("g", y, x, 2), "no function g")
}

func TestAccess(t *testing.T) {
	for _, c := range []struct {
		name string
		body func(c *build.Context, y reg.Register)
		want string
	}{
		{"before", func(c *build.Context, y reg.Register) { c.MOVL(operand.Mem{Base: y, Disp: -4}, reg.EAX) }, "4 bytes at offset -4"},
		{"aligned", func(c *build.Context, y reg.Register) { c.VMOVAPS(operand.Mem{Base: y}, reg.X0) }, "is not aligned"},
		{"wild", func(c *build.Context, y reg.Register) { c.MOVQ(operand.Mem{Base: reg.R9}, reg.RAX) }, "in no argument"},
		{"dirty", func(c *build.Context, y reg.Register) { c.VXORPS(reg.Y0, reg.Y0, reg.Y0) }, "returns without VZEROUPPER"},
		{"endless", func(c *build.Context, y reg.Register) {
			c.Label("loop")
			c.JMP(operand.LabelRef("loop"))
		}, "no end after"},
		{"data", func(c *build.Context, y reg.Register) {
			c.MOVL(reg.EAX, c.ConstData("constant", operand.U32(3)))
		}, "write to constant"},
	} {
		f := mustOpen(t, "y []float32", func(b *build.Context) {
			c.body(b, b.Load(b.Param("y").Base(), b.GP64()))
		})
		if err := f.Run("f", make([]float32, 4)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// TestMaskedAccess: what the mask shuts out is not touched.
func TestMaskedAccess(t *testing.T) {
	f := mustOpen(t, "y, x []float32", func(c *build.Context) {
		y, x := c.Load(c.Param("y").Base(), c.GP64()), c.Load(c.Param("x").Base(), c.GP64())
		bits := c.GP32()
		c.MOVL(operand.U32(0b10111), bits)
		k, v := c.K(), c.ZMM()
		c.KMOVW(bits, k)
		c.VMOVUPS_Z(operand.Mem{Base: x}, k, v)
		c.VMOVUPS(v, k, operand.Mem{Base: y})
		c.VZEROUPPER()
	})
	y := []float32{9, 9, 9, 9, 9}
	if err := f.Run("f", y, []float32{1, 2, 3, 4, 5}); err != nil {
		t.Fatal(err)
	}
	if want := []float32{1, 2, 3, 9, 5}; !slices.Equal(y, want) {
		t.Errorf("y = %v, want %v", y, want)
	}
}

func TestUnknownOpcode(t *testing.T) {
	_, err := open(t, "y []float32", func(c *build.Context) { c.VRCPPS(reg.X0, reg.X1) })
	wantError(t, err, "f: instruction 0, VRCPPS: unknown opcode")
	_, err = open(t, "y []float32", func(c *build.Context) { c.VADDPS_RZ_SAE(reg.Z0, reg.Z1, reg.Z2) })
	wantError(t, err, "unknown suffix")
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}
