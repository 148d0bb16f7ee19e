package irtest

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/mambac/mambac/ir"
	"github.com/mambac/mambac/ir/op"
	"github.com/mambac/mambac/ir/pass"
)

// TestMixedMakesEverything: every op that is registered, as it is built or as a
// pass makes it, every flag both ways, sizes that may be none both ways, and more
// than one of what is said in words.
func TestMixedMakesEverything(t *testing.T) {
	seen := map[string]map[string]bool{} // values by op and attribute
	for seed := range uint64(MixedSeeds) {
		m := Mixed(seed)
		passed, err := pass.Run(m, pass.Options{Cache: pass.Caches[seed%uint64(len(pass.Caches))]})
		if err != nil {
			t.Fatal(err)
		}
		note(seen, m)
		note(seen, passed)
	}
	for _, name := range op.Names() {
		if seen[name] == nil {
			t.Errorf("op %s is never made; have Mixed make it", name)
			continue
		}
		o, _ := op.Prototype(name)
		for i := range reflect.TypeOf(o).NumField() {
			f := reflect.TypeOf(o).Field(i)
			switch values := seen[name+"."+f.Name]; {
			case f.Type.Kind() == reflect.Bool && len(values) < 2, f.Type.Kind() == reflect.String && len(values) < 2,
				f.Tag.Get("text") == "omitzero" && (len(values) < 2 || !values["0"]):
				t.Errorf("op %s: of %s only %v is made", name, f.Name, values)
			}
		}
	}
	for _, kind := range []string{"softmax", "softmax_renorm", "top_softmax", "sigmoid"} {
		if !seen["route.Kind"][kind] {
			t.Errorf("no router of kind %s is made", kind)
		}
	}
}

// note adds the ops of a module and what their attributes are.
func note(seen map[string]map[string]bool, m *ir.Module) {
	add := func(key, value string) {
		if seen[key] == nil {
			seen[key] = map[string]bool{}
		}
		seen[key][value] = true
	}
	for _, r := range m.Regions {
		for _, v := range r.Body {
			name, o := v.Op.OpName(), reflect.ValueOf(v.Op)
			add(name, "")
			for i := range o.NumField() {
				add(name+"."+o.Type().Field(i).Name, fmt.Sprint(o.Field(i).Interface()))
			}
		}
	}
}
