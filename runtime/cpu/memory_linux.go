package cpu

// FreeMemory is how many bytes this process may still take, by the system and
// its cgroups; 0 where nothing tells.
func FreeMemory() int64 { return files(readFile).freeMemory() }
