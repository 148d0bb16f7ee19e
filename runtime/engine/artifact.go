package engine

import "github.com/mambac/mambac/runtime/template"

// Level is one set of kernels in a compiled package.
type Level struct {
	Name     string   // generic, v3, v4, …
	Features []string // what the CPU must have, by the names of runtime/cpu
}

// Compiled describes a generated package to the runtime.
type Compiled struct {
	// Fingerprint ties the code to the payload it was generated with.
	Fingerprint string
	// Levels holds the kernel sets of the package, the most preferred first.
	Levels []Level
	Shape  Shape
	// Taps holds what a prefill can hand out beside logits; none in most.
	Taps []Tap
	// Chat holds the chat templates of the checkpoint, the default one first, in
	// programs that converse.
	Chat []template.Template
	// Open binds the program of a level to the payload's weights section,
	// which must outlive the program.
	Open func(level string, weights []byte) (Program, error)
}
