package kernel

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// prototypes holds the zero value of every kind; parsing starts from it.
var prototypes = map[string]Spec{}

// register adds a kind; called from init of the file that defines it.
func register(s Spec) {
	if _, ok := prototypes[s.Kind()]; ok {
		panic("BUG: kernel kind " + s.Kind() + " is registered twice")
	}
	prototypes[s.Kind()] = s
}

// Kinds lists the registered kinds, sorted.
func Kinds() []string {
	var names []string
	for k := range prototypes {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// Format prints a spec with all its constants: gemv{Storage=bf16 K=768 Residual}.
// Fields with their zero value are left out.
func Format(s Spec) string {
	var parts []string
	formatFields(reflect.ValueOf(s), &parts)
	return s.Kind() + "{" + strings.Join(parts, " ") + "}"
}

func formatFields(v reflect.Value, parts *[]string) {
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case f.Kind() == reflect.Struct:
			formatFields(f, parts)
		case f.IsZero():
		case f.Kind() == reflect.Bool:
			*parts = append(*parts, name)
		default:
			*parts = append(*parts, fmt.Sprintf("%s=%v", name, f.Interface()))
		}
	}
}

// ParseSpec is the inverse of Format.
func ParseSpec(text string) (Spec, error) {
	kind, rest, ok := strings.Cut(text, "{")
	proto := prototypes[kind]
	if !ok || proto == nil || !strings.HasSuffix(rest, "}") {
		return nil, fmt.Errorf("%q is no kernel spec; the kinds are %s", text, strings.Join(Kinds(), ", "))
	}
	v := reflect.New(reflect.TypeOf(proto)).Elem()
	for _, field := range strings.Fields(strings.TrimSuffix(rest, "}")) {
		name, value, _ := strings.Cut(field, "=")
		if err := setField(v, name, value); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", kind, field, err)
		}
	}
	return v.Interface().(Spec), nil
}

func setField(v reflect.Value, name, value string) error {
	f := fieldByName(v, name)
	if !f.IsValid() {
		return fmt.Errorf("unknown constant %q", name)
	}
	switch f.Kind() {
	case reflect.Bool:
		f.SetBool(true)
	case reflect.String:
		f.SetString(value)
	case reflect.Uint32:
		n, err := strconv.ParseUint(value, 10, 32)
		f.SetUint(n)
		return err
	default:
		n, err := strconv.ParseInt(value, 10, 32)
		f.SetInt(n)
		return err
	}
	return nil
}

// fieldByName finds a leaf field, descending into nested structs; FieldByName
// alone would not, as none of them is embedded.
func fieldByName(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Kind() == reflect.Struct {
			if g := fieldByName(f, name); g.IsValid() {
				return g
			}
		} else if v.Type().Field(i).Name == name {
			return f
		}
	}
	return reflect.Value{}
}
