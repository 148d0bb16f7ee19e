package serve

import (
	"bytes"
	"encoding/json"
	"errors"
)

// object is a JSON object of which little is known: its members stay as they are,
// and in their order, which templates may write.
type object []member

type member struct {
	key   string
	value json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *object) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return errors.New("no object")
	}
	*o = object{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		m := member{key: key.(string)}
		if err := d.Decode(&m.value); err != nil {
			return err
		}
		*o = append(*o, m)
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			text = append(text, ',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		text = append(append(append(text, key...), ':'), m.value...)
	}
	return append(text, '}'), nil
}

// find is the member of a key, of several the last, as everywhere; nil for none.
func (o object) find(key string) *member {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].key == key {
			return &o[i]
		}
	}
	return nil
}

// read reads the value of a key into v; false if it is none of that kind.
func (o object) read(key string, v any) bool {
	m := o.find(key)
	return m != nil && json.Unmarshal(m.value, v) == nil
}

// replace gives a key that there is another value.
func (o object) replace(key string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	o.find(key).value = text
}
