//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package payload

// advise leaves the choice of pages to the system.
func advise([]byte) {}
