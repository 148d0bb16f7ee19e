//go:build !linux

package main

import "testing"

// runRoot needs Linux.
func runRoot(*testing.T, string, string) {}
