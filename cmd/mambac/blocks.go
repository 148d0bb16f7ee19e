package main

import "io"

// fileBlock is the size of a huge page. What is written in one call, and ends
// where it does, a file system may keep in memory as one.
const fileBlock = 2 << 20

// blocks is a buffer whose writes end at multiples of fileBlock in the file.
type blocks struct {
	w      io.Writer
	at     int64 // in the file, of the first byte held
	buffer []byte
}

func (b *blocks) Write(p []byte) (n int, err error) {
	for n < len(p) {
		room := int(fileBlock-b.at%fileBlock) - len(b.buffer)
		part := p[n:min(n+room, len(p))]
		b.buffer = append(b.buffer, part...)
		n += len(part)
		if len(part) == room {
			if err := b.Flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// Flush writes what is held.
func (b *blocks) Flush() error {
	n, err := b.w.Write(b.buffer)
	b.at += int64(n)
	b.buffer = b.buffer[:0]
	return err
}
