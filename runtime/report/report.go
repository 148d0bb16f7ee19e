// Package report holds what the equivalence report of a build says: as JSON in
// programs and files, and as text for reading. It sees nothing of ours.
package report

// Report is what was compared when a program was built, and what came out.
type Report struct {
	Family string `json:"family"`
	// Choices are what the checkpoint's config does not say, by name.
	Choices map[string]string `json:"choices,omitempty"`
	Weights string            `json:"weights"`
	Math    string            `json:"math"`
	// Cache is the format of keys and values; "" if there are none.
	Cache string `json:"cache,omitempty"`
	// Calibration is the text on which codes of weights were chosen.
	Calibration string    `json:"calibration,omitempty"`
	Machine     Machine   `json:"machine"`
	Storage     []Storage `json:"storage"`
	Rungs       []Rung    `json:"rungs"`
	Inputs      Inputs    `json:"inputs"` // of the rungs
	Absent      []Absent  `json:"absent"` // levels of the program that were not compared
	Text        Text      `json:"text"`
	OK          bool      `json:"ok"` // of the rungs: what rounding costs is told, not judged
}

// Machine is where the programs ran.
type Machine struct {
	CPU     string   `json:"cpu"`
	Flags   []string `json:"flags"`
	Target  string   `json:"target"` // GOOS/GOARCH
	Threads int      `json:"threads"`
}

// Storage is the parameters that a program keeps in one format.
type Storage struct {
	Format     string `json:"format"`
	Parameters int64  `json:"parameters"`
	Bytes      int64  `json:"bytes"` // with scales, without padding
	// BitsPerWeight is that of all of them together.
	BitsPerWeight float64 `json:"bits_per_weight"`
}

// Rung is one comparison with the evaluator or a reference.
type Rung struct {
	Rung    string `json:"rung"` // evaluator, format, cache, fast or program
	CPU     string `json:"cpu"`  // level; "" for the evaluator
	Weights string `json:"weights"`
	Math    string `json:"math"`
	By      string `json:"by"` // decode or prefill
	// Cache is the format of keys and values; "" without, and for f32.
	Cache       string  `json:"cache,omitempty"`
	LogitsError float64 `json:"logits_error"`
	GreedyEqual int     `json:"greedy_equal"`
	GreedyTotal int     `json:"greedy_total"`
	OK          bool    `json:"ok"`
}

// Inputs is the seeded ids of the rungs.
type Inputs struct {
	Tokens int    `json:"tokens"`
	Greedy int    `json:"greedy"`
	Seed   uint64 `json:"seed"`
}

// Absent is a level that this machine cannot run.
type Absent struct {
	CPU   string   `json:"cpu"`
	Lacks []string `json:"lacks"`
}

// Text is what programs made of a text.
type Text struct {
	Source string `json:"source"` // bundled, a file's name, or seeded ids
	Tokens int    `json:"tokens"`
	Window int    `json:"window"` // tokens that are read from a fresh state
	// Programs are those that were asked; the first is the one that was built.
	Programs    []Program    `json:"programs"`
	Comparisons []Comparison `json:"comparisons"`
}

// Names of programs.
const (
	Built = "this program"
	Exact = "exact math" // with the same weights
	F32   = "f32 program"
)

// Program is one that read the text.
type Program struct {
	Name    string   `json:"name"`
	CPU     string   `json:"cpu"` // level
	Weights string   `json:"weights"`
	Math    string   `json:"math"`
	NLL     *float64 `json:"nll,omitempty"` // mean, nats per token; none without a text
}

// Comparison is of two programs, at all positions of the text.
type Comparison struct {
	Of          string   `json:"of"`
	Against     string   `json:"against"`
	LogitsError float64  `json:"logits_error"` // max|a−b| / max|b|
	Top1Equal   int      `json:"top1_equal"`
	Positions   int      `json:"positions"`
	GreedyEqual int      `json:"greedy_equal"` // ids before the first that differs
	GreedyTotal int      `json:"greedy_total"`
	MeanKL      float64  `json:"mean_kl"` // nats, of the second's predictions to the first's
	MaxKL       float64  `json:"max_kl"`
	NLLChange   *float64 `json:"nll_change,omitempty"` // of the mean
}
