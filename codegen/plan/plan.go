// Package plan is the compiled form of a module as data: buffers, packed
// weights, state blocks, and for each program the phases of kernel calls. It
// names no goroutine, register or file, and it prints and parses.
package plan

import (
	"github.com/mambac/mambac/codegen/kernel"
	"github.com/mambac/mambac/ir"
)

// Mode is one of the programs that a plan holds.
type Mode string

// The programs of every plan.
const (
	Decode     Mode = "decode"      // one token of one sequence
	Batch      Mode = "batch"       // one token of each of several sequences, a row each
	Prefill    Mode = "prefill"     // a chunk of tokens of one sequence
	LogitsOne  Mode = "logits_one"  // the head for one row
	LogitsRows Mode = "logits_rows" // the head for a block of rows
)

// Space is the memory a buffer lives in.
type Space string

// The memory spaces.
const (
	Arena   Space = "arena"   // shared by all workers
	Private Space = "private" // one copy per worker
	Output  Space = "output"  // given by the caller: the logits
)

// Buffer is a matrix of float32: a row per token.
type Buffer struct {
	Name   string
	Space  Space
	Width  int // meaningful columns
	Stride int // columns from row to row, whole panels
	Rows   int // largest number of rows
	Offset int // of row 0, in float32 from the start of the space
	// Carried buffers live from region to region; a program that runs the head
	// for some rows finds them at their position in the chunk.
	Carried bool
}

// Layout is how a parameter or state is arranged in memory.
type Layout string

// The layouts.
const (
	// Panels: a linear weight [N,K] as panels of 48 rows, each segment of rows
	// starting a panel of its own (kernel.Storage.Index).
	Panels Layout = "panels"
	// Vector: one value per row, float32, segments padded as in Panels.
	Vector Layout = "vector"
	// Taps: a conv weight [C,1,K] or a window [C,K−1] as K (K−1) rows of
	// padded channels.
	Taps Layout = "taps"
	// Lanes: [C,N] as, per 16 channels, N rows of 16 lanes.
	Lanes Layout = "lanes"
	// Heads: [H,P,N] as, per head and per 16 of its rows, N rows of 16 lanes.
	Heads Layout = "heads"
	// Keys and Values: what a cache [heads,dim] keeps of a page's tokens, per head
	// as rows of an element (kernel.Keep with Columns) or as rows of a token.
	Keys   Layout = "keys"
	Values Layout = "values"
)

// Slot is the shape of a weight or state as a block's code sees it. Layers
// whose slots are alike share one block.
type Slot struct {
	Name     string // identifier: inProj
	Layout   Layout
	Storage  kernel.Storage // float32 except for Panels, Keys and Values
	Segments []int          // rows (channels, heads) of each segment; one for most; of Heads each head is one
	Columns  int            // K of Panels, taps of Taps, N of Lanes and Heads, 1 of Vector, dim of Keys and Values
	Elements int            // packed elements; of Keys and Values float32 of a page
	Cache    int            // of Keys and Values: index into the plan's caches
}

// Paged reports whether the slot lies on the pages of a cache.
func (s *Slot) Paged() bool { return s.Layout == Keys || s.Layout == Values }

// Cache is a kind of page; states that look back equally far share its pages.
type Cache struct {
	Window int // 0 for all tokens
	Page   int // float32 of a page
}

// PaddedRows is the number of rows with every segment rounded up to panels, or
// to groups of a head's rows.
func (s *Slot) PaddedRows() int {
	pad := kernel.Pad
	if s.Layout == Heads {
		pad = kernel.PadGroup
	}
	n := 0
	for _, rows := range s.Segments {
		n += pad(rows)
	}
	return n
}

// Weight binds a parameter to a place in the payload's weights section.
type Weight struct {
	Slot   Slot
	Param  *ir.Param
	Offset int64 // bytes
}

// Bytes is the packed size.
func (w *Weight) Bytes() int64 {
	return int64(w.Slot.Elements) * int64(w.Slot.Storage.ElementBytes())
}

// State binds a state to a place in a sequence's state block.
type State struct {
	Slot   Slot
	State  *ir.State
	Offset int // float32, of the sequence's block or of a page
}

// Lanes is the number of channels whose values of one column lie together:
// channel r, column c is at r/Lanes·Lanes·Columns + c·Lanes + r%Lanes of the
// elements of its segment, where Columns is the last axis of the state. One is
// the order of the state's own axes.
func (s *State) Lanes() int {
	switch s.Slot.Layout {
	case Lanes, Heads:
		return kernel.GroupChannels
	case Vector:
		return 1
	}
	return s.Slot.PaddedRows()
}

// Run is the number of channels after which whole groups of lanes begin again;
// 0 for none.
func (s *State) Run() int {
	if s.Slot.Layout == Heads {
		return s.Slot.Segments[0]
	}
	return 0
}

// ArgKind says what an argument of a step refers to.
type ArgKind string

// The kinds of argument.
const (
	ViewArg    ArgKind = "view"    // columns of a buffer
	WeightArg  ArgKind = "weight"  // a weight slot of the block
	StateArg   ArgKind = "state"   // a state slot of the block, of pages too
	IDsArg     ArgKind = "ids"     // the token ids of the call
	ScratchArg ArgKind = "scratch" // this worker's kernel scratch
	RowsArg    ArgKind = "rows"    // the rows that a loop's expert is chosen for
)

// Arg is one pointer argument of a step, in the order of its spec's
// signature; counts (panels, groups, tokens) follow from the split.
type Arg struct {
	Kind    ArgKind
	Buffer  *Buffer // ViewArg
	Column  int     // ViewArg: first column
	Width   int     // ViewArg: columns touched
	Slot    int     // WeightArg, StateArg: index into the block's slots
	Start   int     // WeightArg, StateArg: first element
	Advance int     // elements from one panel of channels to the next; 0: read whole
	Expert  int     // elements from one expert of a loop to the next
	// Whole arguments begin at row 0: the kernel finds their rows in a list.
	Whole bool
	Write bool
}

// Split says how a step's work is divided among workers.
type Split string

// The splits.
const (
	ByChannels Split = "channels" // each worker takes a run of panels
	ByTokens   Split = "tokens"   // each worker takes a run of tokens
	Each       Split = "each"     // every worker does all of it, into private memory
	One        Split = "one"      // the first worker does all of it
	ByHeads    Split = "heads"    // each worker takes a run of heads, of a prefill also of tokens
)

// Step is one kernel call per worker.
type Step struct {
	Spec   kernel.Spec
	Split  Split
	Panels int // panels of output channels of the whole step; heads of ByHeads
	// Apart steps treat the rows one by one, as a sequence of one token each:
	// row i has the states of sequence i. Only a Batch has them.
	Apart bool
	Args  []Arg
}

// Phase is work without dependencies between workers; a barrier follows it.
type Phase struct {
	Loop  *Loop // that the phase is part of, with its neighbours; nil for none
	Steps []Step
}

// Loop repeats phases for each expert that is chosen for a row: its steps treat
// the rows it is chosen for, as many as there are.
type Loop struct {
	Weights Arg // a column for each expert: 0 in the rows that it is not chosen for
}

// Body is the code of a block in one mode.
type Body struct {
	Mode   Mode
	Phases []Phase
}

// Parts divides the phases into those that are run in turn: one alone, or all of
// a loop.
func (b *Body) Parts() [][]Phase {
	var parts [][]Phase
	for i := 0; i < len(b.Phases); {
		n := 1
		for loop := b.Phases[i].Loop; loop != nil && i+n < len(b.Phases) && b.Phases[i+n].Loop == loop; {
			n++
		}
		parts = append(parts, b.Phases[i:i+n])
		i += n
	}
	return parts
}

// Block is the code that equal regions share.
type Block struct {
	Name    string // identifier: embed, layer, head
	Weights []Slot
	States  []Slot
	Bodies  []Body
}

// Body finds the block's code for a mode; nil if it has none.
func (b *Block) Body(m Mode) *Body {
	for i := range b.Bodies {
		if b.Bodies[i].Mode == m {
			return &b.Bodies[i]
		}
	}
	return nil
}

// Call is one region: a block applied to its weights and states.
type Call struct {
	Region  string
	Block   *Block
	Weights []*Weight
	States  []*State
}

// Tap is a value that a prefill hands out for all tokens of its chunk: columns
// of a buffer of the arena, whole when a call has been run.
type Tap struct {
	Name   string
	Call   int // index into the plan's calls
	Buffer *Buffer
	Column int
	Width  int
}

// Plan is everything that the emitters need to know of a model.
type Plan struct {
	Name    string
	IDs     int // ids that can be fed: rows of the embedding
	Vocab   int // logits of a token
	Chunk   int // tokens of the largest Prefill
	Block   int // rows of the largest Logits, sequences of the largest Batch
	Arena   int // float32
	Private int // float32 per worker, kernel scratch included
	Scratch int // float32 of kernel scratch at the start of the private memory
	State   int // float32 per sequence, pages of caches apart
	Bytes   int64
	Caches  []Cache
	Buffers []*Buffer
	Weights []*Weight
	States  []*State
	Blocks  []*Block
	Calls   []Call // in order; the head, which only Logits runs, is last
	Taps    []Tap  // in order of calls
}

// Specs lists the distinct kernel specs in order of first use.
func (p *Plan) Specs() []kernel.Spec {
	var specs []kernel.Spec
	seen := map[kernel.Spec]bool{}
	for _, b := range p.Blocks {
		for _, body := range b.Bodies {
			for _, phase := range body.Phases {
				for _, step := range phase.Steps {
					if !seen[step.Spec] {
						seen[step.Spec] = true
						specs = append(specs, step.Spec)
					}
				}
			}
		}
	}
	return specs
}
