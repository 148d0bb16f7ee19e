//go:build !wasip1

package payload

const grant = ""
