//go:build !unix

package library

// noFollow is for opening what must be a file: what open has looked at is one.
const noFollow = 0
