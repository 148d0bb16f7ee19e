//go:build !(linux && (amd64 || arm64 || riscv64))

package hugepage

// Bytes is how much of b lies in huge pages, where the system tells.
func Bytes([]byte) (n int64, ok bool) { return 0, false }

// worthwhile: other systems choose the size of pages by themselves.
func worthwhile([]byte) bool { return false }

func advise([]byte) error { return nil }

func hot([]byte) bool { return false }

func move([]byte) bool { return false }
