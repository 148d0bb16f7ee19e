package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// addSharded adds the tensors of all shards that an index names.
func (c *Checkpoint) addSharded(path string) error {
	text, err := readText(path)
	if err != nil {
		return err
	}
	ext := filepath.Ext(strings.TrimSuffix(path, ".index.json"))
	homes, err := parseIndex(text, ext)
	if err != nil {
		return fmt.Errorf("%s: %w", printable(path), err)
	}
	if err := c.addShards(path, homes); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(homes)) {
		if c.tensors[name] == nil {
			return fmt.Errorf("%s: %s: not in %s", printable(path), printable(name), printable(homes[name]))
		}
	}
	return nil
}

// addShards reads every shard once. Of tensors that the index gives to another
// shard, that one's are taken; what the index does not know is taken too, for
// torch loads shards whole.
func (c *Checkpoint) addShards(index string, homes map[string]string) error {
	shards := map[string]bool{}
	for _, shard := range homes {
		shards[shard] = true
	}
	for _, shard := range slices.Sorted(maps.Keys(shards)) {
		path := filepath.Join(filepath.Dir(index), shard)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: names shard %s, which is missing", printable(index), printable(shard))
		}
		tensors, err := c.read(path)
		if err != nil {
			return err
		}
		for _, t := range tensors {
			home, listed := homes[t.Name]
			if listed && home != shard {
				continue
			}
			if other := c.tensors[t.Name]; other != nil {
				return fmt.Errorf("%s: %s: also in %s", printable(path), printable(t.Name), printable(other.File))
			}
			c.tensors[t.Name] = t
		}
	}
	return nil
}

// parseIndex reads the map from tensors to shards, whose names must be those
// of files in the same folder.
func parseIndex(text []byte, ext string) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	homes := map[string]string{}
	err := eachKey(d, func(key string) error {
		if key != "weight_map" {
			var ignored json.RawMessage
			return d.Decode(&ignored)
		}
		return eachKey(d, func(name string) error {
			var shard string
			if err := d.Decode(&shard); err != nil {
				return err
			}
			homes[name] = shard
			return checkShard(name, shard, ext)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("not an index: %s", oneLine(err))
	}
	if len(homes) == 0 {
		return nil, errors.New("not an index: no weight_map with tensors in it")
	}
	return homes, nil
}

// checkShard refuses names that could lead out of the folder.
func checkShard(name, shard, ext string) error {
	if shard == "" || strings.ContainsAny(shard, "/\\:\x00") || !filepath.IsLocal(shard) {
		return fmt.Errorf("%s: shard %s is not the name of a file in this folder", printable(name), printable(shard))
	}
	if filepath.Ext(shard) != ext {
		return fmt.Errorf("%s: shard %s, want a file ending in %s", printable(name), printable(shard), ext)
	}
	return nil
}

// eachKey calls field at every key of a JSON object, with the decoder in front
// of the value; a repeated key is an error.
func eachKey(d *json.Decoder, field func(key string) error) error {
	if token, err := d.Token(); err != nil {
		return err
	} else if token != json.Delim('{') {
		return errors.New("want a JSON object")
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		if seen[key] {
			return fmt.Errorf("%s: named twice", printable(key))
		}
		if len(seen) == maxObjects {
			return fmt.Errorf("more than %d names", maxObjects)
		}
		seen[key] = true
		if err := field(key); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}
