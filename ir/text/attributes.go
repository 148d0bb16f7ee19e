package text

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/mambac/mambac/ir"
)

// formatAttributes prints the exported fields of an op: words, flags and numbers
// with the tag text:"omitzero" when they are set, other numbers always.
func formatAttributes(o ir.Op) string {
	var parts []string
	v := reflect.ValueOf(o)
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Tag.Get("text") == "omitzero" && v.Field(i).IsZero() {
			continue
		}
		if s := formatAttribute(attributeName(field), v.Field(i)); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " ")
}

func formatAttribute(key string, v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return key
		}
		return ""
	case reflect.String:
		if v.Len() > 0 {
			return key + "=" + strconv.Quote(v.String())
		}
		return ""
	case reflect.Int:
		return key + "=" + strconv.FormatInt(v.Int(), 10)
	case reflect.Float32, reflect.Float64:
		return key + "=" + strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())
	}
	panic(fmt.Sprintf("BUG: attribute %s has the kind %v, which has no text form", key, v.Kind()))
}

// attributeName is a field's name with its first letter small.
func attributeName(f reflect.StructField) string {
	return strings.ToLower(f.Name[:1]) + f.Name[1:]
}

// attribute finds the field of that name in an op under construction.
func attribute(op reflect.Value, key string) (reflect.Value, bool) {
	for i := range op.NumField() {
		if attributeName(op.Type().Field(i)) == key {
			return op.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// setAttribute reads a value as its field's kind wants it.
func setAttribute(field reflect.Value, text token) error {
	switch kind := field.Kind(); {
	case kind == reflect.String:
		if text.kind != quotedToken {
			return fmt.Errorf("have %s, want a quoted string", describe(text))
		}
		field.SetString(text.text)
	case text.kind != wordToken:
		return fmt.Errorf("have %s, want a number", describe(text))
	case kind == reflect.Int:
		n, err := strconv.ParseInt(text.text, 10, 32)
		if err != nil {
			return fmt.Errorf("have %s, want a whole number below 2³¹", describe(text))
		}
		field.SetInt(n)
	case kind == reflect.Float32 || kind == reflect.Float64:
		f, err := strconv.ParseFloat(text.text, field.Type().Bits())
		if err != nil {
			return fmt.Errorf("have %s, want a number", describe(text))
		}
		field.SetFloat(f)
	default:
		return fmt.Errorf("is a flag and takes no value")
	}
	return nil
}
