// A test of every generated package, under the path of each.
package model_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"example.com/states/model"

	"github.com/mambac/mambac/runtime/modeltest"
)

// length is more than two pages of keys, and more than any window with a page
// to spare.
const length = 150

// open opens the model with a number of workers.
func open(t *testing.T, threads int) *model.Model {
	t.Helper()
	m, err := model.Open(model.Threads(threads))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// text is ids that repeat late.
func text(m *model.Model) []int {
	ids := make([]int, length)
	for i := range ids {
		ids[i] = (7*i*i + 3*i + 1) % m.Vocabulary()
	}
	return ids
}

// read has a session read ids, and gives it back.
func read(t *testing.T, s *model.Session, ids []int) *model.Session {
	t.Helper()
	if err := s.Prefill(context.Background(), ids); err != nil {
		t.Fatal(err)
	}
	return s
}

// write is the n likeliest ids that follow.
func write(t *testing.T, s *model.Session, n int) (ids []int) {
	t.Helper()
	for token, err := range s.GenerateIDs(context.Background(), nil, model.MaxTokens(n), model.IgnoreEndTokens()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, token.ID)
	}
	return ids
}

// handedOver is a session of another model that goes on as what was saved, after
// it has read something else.
func handedOver(t *testing.T, to *model.Model, s *model.Session) *model.Session {
	t.Helper()
	var file, again bytes.Buffer
	next := read(t, to.NewSession(), []int{2, 1, 0})
	err := errors.Join(s.Save(&file), s.Close())
	if err == nil {
		err = errors.Join(next.Restore(bytes.NewReader(file.Bytes())), next.Save(&again))
	}
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file.Bytes(), again.Bytes()) {
		t.Error("a restored state saves as other bytes")
	}
	return next
}

// fork goes on as the fork of a session that goes astray.
func fork(t *testing.T, s *model.Session) *model.Session {
	t.Helper()
	f := s.Fork()
	read(t, s, []int{0, 1, 2})
	return f
}

// TestStates: a text that was interrupted at any place, saved, restored by
// another model, forked, and again while it was written, goes on as one that was
// not, to the bit.
func TestStates(t *testing.T) {
	m, other := open(t, 2), open(t, 1)
	ids, whole := text(m), other.NewSession()
	want := write(t, read(t, whole, ids), 90)
	logits := slices.Clone(read(t, whole, ids[:1]).Logits())
	for _, at := range []int{1, 15, 63, 64, 65, 127, 130, length - 1} {
		s := fork(t, handedOver(t, other, read(t, m.NewSession(), ids[:at])))
		s = fork(t, handedOver(t, m, read(t, s, ids[at:])))
		have := write(t, s, 37)
		s = fork(t, handedOver(t, other, s))
		have = append(have, write(t, s, 53)...)
		if !slices.Equal(have, want) {
			t.Errorf("interrupted after %d ids it goes on with\n%v, want\n%v", at, have, want)
		}
		for i, v := range read(t, s, ids[:1]).Logits() {
			if math.Float32bits(v) != math.Float32bits(logits[i]) {
				t.Fatalf("interrupted after %d ids: logit %d is %v, want %v", at, i, v, logits[i])
			}
		}
	}
}

func TestStorm(t *testing.T) { modeltest.Storm(t, model.Open, 3, 3) }
