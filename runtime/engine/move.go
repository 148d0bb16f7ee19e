package engine

import "context"

// patience is how many calls of Decode pass before weights are moved: the
// copy must pay for itself by the calls that follow, of which there may be as
// many again.
const patience = 128

// lookAfter moves a piece of the weights once there is reason to, while no
// worker runs.
func (e *Engine) lookAfter() {
	if e.mover == nil {
		return
	}
	if e.decodes++; e.decodes > patience && !e.mover.Move() {
		e.mover = nil
	}
}

// MoveAll moves now what Decode would move little by little of the weights
// that have been read so far: for measurements.
func (e *Engine) MoveAll(ctx context.Context) error {
	if err := e.acquire(ctx); err != nil {
		return err
	}
	defer e.release()
	if e.mover != nil {
		e.mover.All()
		e.mover = nil
	}
	return nil
}
