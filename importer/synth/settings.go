package synth

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// preset is a published size of a family: keys of its config beside those that
// all models of the family have.
type preset struct{ name, config string }

// Presets lists the names of the presets, family by family, the smallest model
// of each first.
func Presets() []string {
	var names []string
	for _, f := range Families() {
		for _, p := range families[f].presets {
			names = append(names, p.name)
		}
	}
	return names
}

// Preset is the config.json of a preset with settings, each KEY=VALUE.
func Preset(name string, settings ...string) ([]byte, error) {
	for _, f := range families {
		for _, p := range f.presets {
			if p.name == name {
				return configure(f, p.config, settings)
			}
		}
	}
	return nil, fmt.Errorf("unknown preset %q; known are %s", name, strings.Join(Presets(), ", "))
}

// Small is the config.json of a little model of a family, with settings: any
// shape is made by naming the sizes that matter, the others follow.
func Small(family string, settings ...string) ([]byte, error) {
	f, ok := families[family]
	if !ok {
		return nil, fmt.Errorf("unknown family %q; known are %s", family, strings.Join(Families(), ", "))
	}
	return configure(f, f.small, settings)
}

// Change is a config.json with settings.
func Change(text []byte, settings ...string) ([]byte, error) {
	c, err := parseConfig(text)
	if err != nil {
		return nil, err
	}
	f, err := recognise(c)
	if err != nil {
		return nil, err
	}
	return finish(f, c, settings)
}

// configure is the config of a family with sizes and settings.
func configure(f family, sizes string, settings []string) ([]byte, error) {
	c, err := parseConfig([]byte(f.base))
	if err == nil {
		err = json.Unmarshal([]byte(sizes), &c.fields)
	}
	if err != nil {
		panic("BUG: config of " + f.name + ": " + err.Error())
	}
	return finish(f, c, settings)
}

// finish applies settings, and gives the sizes that the config does not name
// the values that follow from the others.
func finish(f family, c *config, settings []string) ([]byte, error) {
	var top []string
	for key := range c.fields {
		c.known[key] = true
	}
	for _, s := range settings {
		key, err := apply(c.fields, s)
		if err != nil {
			return nil, err
		}
		top = append(top, key)
	}
	if f.complete != nil {
		f.complete(c)
	}
	f.parameters(c, scope{list: new([]parameter)})
	if c.err != nil {
		return nil, c.err
	}
	for _, key := range top {
		if !c.known[key] {
			return nil, fmt.Errorf("family %s has no key %s; it has %s", f.name, key, strings.Join(c.names(), ", "))
		}
	}
	text, err := json.MarshalIndent(c.fields, "", "  ")
	return append(text, '\n'), err
}

// apply changes the fields by one setting KEY=VALUE and gives the key, of which
// dots lead into objects. A value is JSON, or else text; null takes the key away.
func apply(fields map[string]json.RawMessage, setting string) (key string, err error) {
	path, value, ok := strings.Cut(setting, "=")
	if !ok || path == "" {
		return "", fmt.Errorf("setting %q: want KEY=VALUE", setting)
	}
	raw := json.RawMessage(value)
	if !json.Valid(raw) {
		if raw, err = json.Marshal(value); err != nil {
			return "", err
		}
	}
	key, rest, nested := strings.Cut(path, ".")
	if !nested {
		if string(raw) == "null" {
			delete(fields, key)
			return key, nil
		}
		fields[key] = raw
		return key, nil
	}
	inner := map[string]json.RawMessage{}
	if old, ok := fields[key]; ok && json.Unmarshal(old, &inner) != nil {
		return "", fmt.Errorf("setting %q: %s is no object", setting, key)
	}
	inner = maps.Clone(inner)
	if _, err := apply(inner, rest+"="+value); err != nil {
		return "", err
	}
	fields[key], err = json.Marshal(inner)
	return key, err
}

// layerKinds is a list that says what each layer is, by a key that has it under
// one of several names; words maps what it may say to kinds.
func (c *config) layerKinds(words map[string]string, keys ...string) []string {
	for _, key := range keys {
		if !c.has(key) {
			continue
		}
		var list []string
		c.read(key, &list)
		kinds := make([]string, len(list))
		for i, word := range list {
			kind, ok := words[word]
			if !ok {
				c.fail(key, fmt.Errorf("layer %d is %q, want one of %s", i, word, strings.Join(slices.Sorted(maps.Keys(words)), ", ")))
			}
			kinds[i] = kind
		}
		if len(list) == 0 {
			c.fail(key, errors.New("is empty"))
		}
		return kinds
	}
	return nil
}

// hybridTypes is the JSON of n layers of Mamba, but those of attention.
func hybridTypes(n int, attention ...int) string { return layerTypes(n, "attention", attention) }

// zambaTypes is the JSON of n layers of Mamba, but those that are hybrids.
func zambaTypes(n int, hybrid ...int) string { return layerTypes(n, "hybrid", hybrid) }

func layerTypes(n int, other string, at []int) string {
	types := slices.Repeat([]string{`"mamba"`}, n)
	for _, i := range at {
		types[i] = `"` + other + `"`
	}
	return "[" + strings.Join(types, ", ") + "]"
}
