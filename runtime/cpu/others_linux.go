package cpu

// OthersSeconds is the processor time that other processes have taken since the
// system was started; false where nothing tells.
func OthersSeconds() (float64, bool) { return files(readFile).others() }
