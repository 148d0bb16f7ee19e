// Package parallel runs one program on every worker at once (SPMD), with
// barriers between its phases; it sees nothing of ours.
package parallel

// Worker is one of Count goroutines that run the same program.
type Worker struct {
	ID, Count int
	team      *Team
}

// Split divides n units among the workers in ascending order and returns this
// worker's run [lo, hi).
func (w *Worker) Split(n int) (lo, hi int) {
	return n * w.ID / w.Count, n * (w.ID + 1) / w.Count
}

// Team is a placeholder until the barrier is written.
type Team struct{}

// Barrier waits until every worker has arrived.
func (w *Worker) Barrier() {}
