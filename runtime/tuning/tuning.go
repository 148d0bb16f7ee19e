// Package tuning times kernels in the program that mambac build --tune makes to
// compare their tiles; built models do without it. It sees nothing of ours.
package tuning

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
)

// Kernel is a product of a panel of weights and some tokens, in several forms.
type Kernel struct {
	Name             string
	Tokens           []int // the numbers of them to be timed, the largest first
	PanelBytes       int
	StrideX, StrideY int // float32 from row to row
	Scratch          int // float32
	Forms            []Form
}

// Form is one function for the kernel, by the name of its tile.
type Form struct {
	Tile string
	Run  func(*Call)
}

// Candidate is what was measured of a form; the compiler reads it.
type Candidate struct {
	Tile        string      `json:"tile"`
	Nanoseconds map[int]int `json:"ns"` // of a panel, by the number of tokens
}

// Main is the program: it times the kernel whose number is the argument and
// prints a list of candidates.
func Main(kernels []Kernel) {
	if err := run(os.Stdout, os.Args[1:], kernels); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

func run(w io.Writer, args []string, kernels []Kernel) error {
	if len(args) != 1 {
		return fmt.Errorf("%d arguments, want the number of a kernel", len(args))
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 0 || n >= len(kernels) {
		return fmt.Errorf("kernel %q, want one from 0 to %d", args[0], len(kernels)-1)
	}
	return json.NewEncoder(w).Encode(kernels[n].measure())
}
