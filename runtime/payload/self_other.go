//go:build !linux

package payload

// execPath is known on Linux only; elsewhere os.Executable suffices.
func execPath() string { return "" }
