package hugepage

import (
	"testing"
	"unsafe"
)

// TestWhole: what is moved are whole huge pages inside the section.
func TestWhole(t *testing.T) {
	room := make([]byte, 7*huge)
	room = room[-uintptr(unsafe.Pointer(&room[0]))&(huge-1):][:6*huge]
	for name, c := range map[string]struct{ lo, hi, wantLo, wantHi int }{
		"aligned":  {0, 6 * huge, 0, 6 * huge},
		"inside":   {page, 6*huge - page, huge, 5 * huge},
		"one page": {page, 2*huge + 2*page, huge, 2 * huge},
		"small":    {0, 2*huge - 1, 0, 0},
	} {
		got := whole(room[c.lo:c.hi])
		if len(got) != c.wantHi-c.wantLo || len(got) > 0 && &got[0] != &room[c.wantLo] {
			t.Errorf("%s: %d bytes, want %d from %d on", name, len(got), c.wantHi-c.wantLo, c.wantLo)
		}
	}
}

// TestZeros: memory of any size is zeros, and a huge page is one as a whole.
func TestZeros(t *testing.T) {
	for _, n := range []int{0, 1, huge - 1, huge, 2*huge + page + 1} {
		b := Zeros(n)
		if len(b) != n || cap(b) < n {
			t.Errorf("%d bytes, want %d", len(b), n)
		}
		if n >= huge && uintptr(unsafe.Pointer(&b[0]))%huge != 0 {
			t.Errorf("%d bytes do not begin with a huge page", n)
		}
		for i := range b {
			if b[i] != 0 {
				t.Fatalf("byte %d of %d is %d", i, n, b[i])
			}
			b[i] = 1
		}
	}
}

const someSmaps = `7f0000000000-7f0000400000 r--s 00000000 fe:00 1234                       /models/mamba
Size:               4096 kB
Rss:                4000 kB
AnonHugePages:         0 kB
FilePmdMapped:      2048 kB
VmFlags: rd mr mw me ms hg
7f0000400000-7f0000600000 r--p 00000000 00:00 0
Rss:                2048 kB
AnonHugePages:      2048 kB
FilePmdMapped:         0 kB
7f0000600000-7f0000800000 r--s 00600000 fe:00 1234                       /models/mamba with a name
Rss:                 512 kB
ShmemPmdMapped:      128 kB
`

func TestUsage(t *testing.T) {
	const base = 0x7f0000000000
	for name, c := range map[string]struct {
		first, end uintptr
		want       usage
	}{
		"all":     {base, base + 4*huge, usage{(4000 + 2048 + 512) << 10, (2048 + 2048 + 128) << 10, false}},
		"first":   {base + page, base + page + 1, usage{4000 << 10, 2048 << 10, true}},
		"last":    {base + 3*huge, base + 3*huge + 1, usage{512 << 10, 128 << 10, true}},
		"nothing": {base + 4*huge, base + 5*huge, usage{0, 0, true}},
	} {
		if got := parseUsage(someSmaps, c.first, c.end); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
