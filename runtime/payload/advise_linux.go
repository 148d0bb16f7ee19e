package payload

import "syscall"

const madvHugepage = 14

// advise has what is not in the page cache yet read into huge pages, where the
// file system can, and read well ahead where it cannot.
func advise(data []byte) { _ = syscall.Madvise(data, madvHugepage) }
