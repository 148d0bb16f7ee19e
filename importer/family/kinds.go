package family

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// kinds says what each layer of a hybrid is.
type kinds struct {
	from string             // the key that says it
	at   func(i int) string // "" beyond a list's end
}

// newWords are those of later releases for what older files say
// (families.md §1.2).
var newWords = map[string]string{"linear_attention": "mamba", "full_attention": "attention"}

// kinds reads the list of layers under either of its keys; no kinds without one.
func (r *reader) kinds(layers *size, known ...string) kinds {
	var list []string
	from := r.decode(&list, "a list of words", "layer_types", "layers_block_type")
	if from == "" {
		return kinds{}
	}
	return r.listed(list, from, layers, known...)
}

// listed is the kinds in a list, in the words of either release, of which known
// are the older ones. A number of layers that the config does not give is the
// list's length.
func (r *reader) listed(list []string, from string, layers *size, known ...string) kinds {
	for i, word := range list {
		if old, ok := newWords[word]; ok {
			list[i] = old
		}
		if !slices.Contains(known, list[i]) {
			r.fail(fmt.Errorf("%s: layer %d is %s; known are %s", from, i, printable(word), strings.Join(known, ", ")))
		}
	}
	if layers.n == 0 {
		layers.n, layers.from = len(list), from
	}
	if layers.n != len(list) {
		r.fail(fmt.Errorf("%s has %d layers, but %v", from, len(list), *layers))
	}
	return kinds{from, func(i int) string {
		if i < len(list) {
			return list[i]
		}
		return ""
	}}
}

// all is kinds where every layer is the same.
func (r *reader) all(kind, name string) kinds {
	return kinds{"the default of " + r.prefix + name, func(int) string { return kind }}
}

// first is the first of n layers that is of that kind, or −1.
func (k kinds) first(n int, kind string) int {
	for i := range n {
		if k.at(i) == kind {
			return i
		}
	}
	return -1
}

// agree holds the kinds against what is stored. Marks are tensors that only
// layers of one kind have.
func (k kinds) agree(s *Set, prefix string, marks map[string]string) error {
	for _, i := range s.layers(prefix) {
		for _, other := range slices.Sorted(maps.Keys(marks)) {
			name := fmt.Sprintf("%s%d.%s", prefix, i, marks[other])
			if kind := k.at(i); kind != "" && kind != other && s.has(name) {
				return fmt.Errorf("config.json: layer %d is %s by %s, but the tensors have %s; is config.json from this checkpoint?", i, kind, k.from, name)
			}
		}
	}
	return nil
}
