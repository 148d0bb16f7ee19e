// Package regex finds the matches of regular expressions in the syntax of
// Oniguruma for tokenizers whose expressions runtime/tokenizer does not know;
// programs import it only for those. It sees runtime/tokenizer.
package regex

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"

	"github.com/mambac/mambac/runtime/tokenizer"
)

func init() { tokenizer.RegisterEngine(Compile) }

// The engine tries alternatives one by one, so an expression may take time
// that grows with any power of a text. These limits are far above what an
// expression that splits text into words takes.
const (
	limit             = 2 * time.Second // of one match, and of all beside
	limitPerCharacter = 20 * time.Microsecond
)

// Compile returns what finds the matches of the expression.
func Compile(expression string) (find tokenizer.Finder, err error) {
	translated, err := translate(expression)
	if err != nil {
		return nil, err
	}
	return compile(translated, limit)
}

func compile(translated string, limit time.Duration) (find tokenizer.Finder, err error) {
	defer func() { // a belt: expressions come from checkpoints
		if r := recover(); r != nil {
			find, err = nil, fmt.Errorf("the engine does not take it: %v", r)
		}
	}()
	x, err := regexp2.Compile(translated, regexp2.None)
	if err != nil {
		return nil, err
	}
	x.MatchTimeout = limit
	return finder{x, limit}.find, nil
}

type finder struct {
	expression *regexp2.Regexp
	limit      time.Duration
}

// find looks for matches as the reference does: the next where the last one
// ends, but no empty one there.
func (f finder) find(text string, match func(start, end int)) error {
	characters, places := split(text)
	limit := f.limit + time.Duration(len(characters))*limitPerCharacter
	begin := time.Now()
	last := -1
	for at := 0; at <= len(characters); {
		m, err := f.expression.FindRunesMatchStartingAt(characters, at)
		if err != nil || time.Since(begin) > limit {
			return fmt.Errorf("an expression takes too long on a text of %d characters; encode smaller parts of the text", len(characters))
		}
		if m == nil {
			return nil
		}
		start, end := m.Index, m.Index+m.Length
		if start == end && start == last {
			at++
			continue
		}
		match(int(places[start]), int(places[end]))
		at, last = end, end
	}
	return nil
}

// split returns the characters of a text and where they begin. A byte that is
// not UTF-8 is a character.
func split(text string) (characters []rune, places []int32) {
	n := utf8.RuneCountInString(text)
	characters, places = make([]rune, 0, n), make([]int32, 0, n+1)
	for at, r := range text {
		characters = append(characters, r)
		places = append(places, int32(at))
	}
	return characters, append(places, int32(len(text)))
}
