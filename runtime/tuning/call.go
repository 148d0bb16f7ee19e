package tuning

import "unsafe"

// Call is the arguments of one call, by the names of a kernel's parameters.
type Call struct {
	Y, X, Bias, Residual, Scratch []float32
	Tokens                        int

	weights []byte
}

// F32 is the weights as float32.
func (c *Call) F32() []float32 { return view[float32](c.weights) }

// U16 is the weights as numbers of 16 bits.
func (c *Call) U16() []uint16 { return view[uint16](c.weights) }

// U8 is the weights as bytes.
func (c *Call) U8() []uint8 { return c.weights }

func view[T any](b []byte) []T {
	var zero T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(zero)))
}

// streamBytes is the weights that are walked through: more than caches hold, so
// that they come from memory as those of a model do.
const streamBytes = 64 << 20

// panelRows is the number of a panel's outputs.
const panelRows = 48

// memory is what the calls of a kernel work on.
type memory struct {
	kernel  *Kernel
	weights []byte
	call    Call
	y, r    []float32
	panel   int
}

func newMemory(k *Kernel) *memory {
	most := k.Tokens[0]
	m := &memory{kernel: k, weights: view8(floats(max(streamBytes, 4*k.PanelBytes) / 4))}
	m.call = Call{X: floats(most * k.StrideX), Scratch: floats(k.Scratch), Bias: floats(panelRows)}
	m.y, m.r = floats(most*k.StrideY), floats(most*k.StrideY)
	return m
}

// next moves to the panel that lies behind, and its columns of the output.
func (m *memory) next(tokens int) *Call {
	panels, columns := len(m.weights)/m.kernel.PanelBytes, max(m.kernel.StrideY/panelRows, 1)
	m.panel = (m.panel + 1) % panels
	at := m.panel % columns * panelRows
	m.call.weights = m.weights[m.panel*m.kernel.PanelBytes:][:m.kernel.PanelBytes]
	m.call.Y, m.call.Residual, m.call.Tokens = m.y[at:], m.r[at:], tokens
	return &m.call
}

// floats is small numbers in whatever width they are read: 0x3c3c is about one
// as a half, a hundredth as a bfloat16, and so is 0x3c3c3c3c as a float32.
func floats(n int) []float32 {
	list := make([]float32, n)
	bits := uint32(0x3c3c3c3c)
	for i := range list {
		list[i] = *(*float32)(unsafe.Pointer(&bits))
	}
	return list
}

func view8(f []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(f))), 4*len(f))
}
