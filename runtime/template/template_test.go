package template

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// What operations give is held against Jinja by the tests of codegen/template,
// which compile templates. Here is what those do not reach.

// run renders what write writes.
func run(write func(*Run)) (string, error) {
	t := &Template{Name: "default", Write: write}
	return t.Render(Input{Now: func() time.Time { return time.Date(2024, 12, 26, 7, 4, 5, 6000, time.UTC) }})
}

// TestNoTools: a template that does not ask for tools is given none.
func TestNoTools(t *testing.T) {
	for _, c := range []struct {
		asked string
		tools Value
		want  error
	}{
		{"tools", List(Int(1)), nil},
		{"messages", List(Int(1)), ErrNoTools},
		{"messages", List(), nil},
		{"messages", Value{}, nil},
	} {
		template := &Template{Write: func(r *Run) { r.Do(r.Variable(c.asked)) }}
		if _, err := template.Render(Input{Messages: List(), Tools: c.tools}); !errors.Is(err, c.want) {
			t.Errorf("%s is asked for, %v: %v, want %v", c.asked, c.tools, err, c.want)
		}
	}
}

// TestRaisedBeforeTools: what a template says of a conversation is told, although it
// had not come to the tools.
func TestRaisedBeforeTools(t *testing.T) {
	template := &Template{Write: func(r *Run) { r.Do(r.Raise(String("roles must alternate"))) }}
	raised := (*Raised)(nil)
	if _, err := template.Render(Input{Messages: List(), Tools: List(Int(1))}); !errors.As(err, &raised) {
		t.Errorf("have %v", err)
	}
}

func TestRaised(t *testing.T) {
	_, err := run(func(r *Run) {
		r.Text("before")
		r.Print(r.Raise(r.Concat(String("no "), Int(3))))
		r.Print(r.Add(String("a"), Int(1))) // the first error stays
	})
	raised := (*Raised)(nil)
	if !errors.As(err, &raised) || raised.Message != "no 3" || err.Error() != "no 3" {
		t.Errorf("have %#v", err)
	}
}

func TestFailure(t *testing.T) {
	for _, c := range []struct {
		write func(*Run)
		want  string
	}{
		{func(r *Run) { r.Attribute(r.Variable("x"), "y") }, "'x' is undefined"},
		{func(r *Run) { r.Attribute(r.Attribute(Object(), "y"), "z") }, "a mapping has no attribute 'y'"},
		{func(r *Run) { r.Add(String("a"), Int(1)) }, "there is no a text + a number"},
		{func(r *Run) { r.Add(Value{}, Int(1)) }, "a value is undefined"},
		{func(r *Run) { r.Call(Int(1), nil) }, "a number cannot be called"},
		{func(r *Run) { r.Print(r.Macro("f", func(Arguments) {})) }, "a macro cannot be printed"},
		{func(r *Run) { r.Print(r.Attribute(String(""), "upper")) }, "a method cannot be printed"},
		{func(r *Run) { r.Now(String("%Q")) }, "there is no %Q"},
		{func(r *Run) { r.Now(String("%")) }, "ends within a directive"},
		{func(r *Run) { r.Now(String("%-")) }, "ends within a directive"},
		{func(r *Run) { r.Range(Int(1 << 40)) }, "a range of more than"},
		{func(r *Run) { r.Range(Int(1), Int(2), Int(0)) }, "step is zero"},
		{func(r *Run) { r.Multiply(String("abc"), Int(1<<40)) }, "makes a text of more than"},
		{func(r *Run) { r.Multiply(List(None()), Int(1<<40)) }, "makes a list of more than"},
		{func(r *Run) { r.Multiply(Int(1<<40), Int(1<<40)) }, "beyond 64 bits"},
		{func(r *Run) { r.Multiply(Int(-1<<63), Int(-1)) }, "beyond 64 bits"},
		{func(r *Run) { r.Add(Int(1<<62), Int(1<<62)) }, "beyond 64 bits"},
		{func(r *Run) { r.Negative(Int(-1 << 63)) }, "beyond 64 bits"},
		{func(r *Run) { r.FloorDivide(Int(-1<<63), Int(-1)) }, "beyond 64 bits"},
		{func(r *Run) { r.Power(Int(10), Int(40)) }, "beyond 64 bits"},
		{func(r *Run) { r.Modulo(Int(1), Int(0)) }, "division by zero"},
		{func(r *Run) {
			r.Replace(String(strings.Repeat("a", 1<<18)), String("a"), String(strings.Repeat("b", 100)), None())
		}, "makes a text of more than"},
		{func(r *Run) {
			r.Indent(String(strings.Repeat("\n", 1<<18)), String(strings.Repeat("b", 100)), Bool(true), Bool(true))
		}, "makes a text of more than"},
		{func(r *Run) {
			r.Join(r.Multiply(List(String("a")), Int(1<<18)), String(strings.Repeat("b", 100)), None())
		}, "makes a text of more than"},
		{func(r *Run) { r.JSON(None(), Bool(false), Int(65), None(), Bool(false)) }, "indent must be"},
		{func(r *Run) { r.JSON(Value{}, Bool(false), None(), None(), Bool(false)) }, "JSON has no undefined value"},
	} {
		_, err := run(c.write)
		failure := (*Failure)(nil)
		if !errors.As(err, &failure) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("have %v, want %q", err, c.want)
		}
	}
}

// TestEnds shows that templates which mean harm come to an end.
func TestEnds(t *testing.T) {
	long := r100000()
	for _, c := range []struct {
		name  string
		write func(*Run)
		want  string
	}{
		{"loops", func(r *Run) {
			for range r.Each(long) {
				for range r.Loop(long) {
				}
			}
		}, "its loops take more than"},
		{"output", func(r *Run) {
			for range r.Each(long) {
				r.Text(strings.Repeat("x", 1000))
			}
		}, "it writes more than"},
		{"captured output", func(r *Run) {
			r.Capture(func() {
				for range r.Each(long) {
					r.Text(strings.Repeat("x", 1000))
				}
			})
		}, "it writes more than"},
		{"recursion", func(r *Run) {
			var f Value
			f = r.Macro("f", func(Arguments) { r.Print(r.Call(f, nil)) })
			r.Print(r.Call(f, nil))
		}, "macros call each other more than"},
		{"branching recursion", func(r *Run) {
			var f Value
			f = r.Macro("f", func(given Arguments) {
				if n := given.At(0); r.Less(n, Int(60)) {
					n = r.Add(n, Int(1))
					r.Print(r.Call(f, []Value{n}))
					r.Print(r.Call(f, []Value{n}))
				}
			}, "n")
			r.Print(r.Call(f, []Value{Int(0)}))
		}, "its loops take more than"},
		{"doubling", func(r *Run) {
			s := String("x")
			for range r.Each(long) {
				s = r.Concat(s, s)
			}
		}, "it makes a text of more than"},
		{"many texts", func(r *Run) {
			s := r.Multiply(String("x"), Int(1<<22))
			for range r.Each(long) {
				r.Concat(s, s)
			}
		}, "it makes texts of more than"},
		{"doubling lists", func(r *Run) {
			l := List(None())
			for range r.Each(long) {
				l = r.Add(l, l)
			}
		}, "it makes a list of more than"},
		{"nesting", func(r *Run) {
			l := List()
			for range r.Each(long) {
				l = List(l)
			}
			r.Print(l)
		}, "too deep or too large to print"},
		{"nesting in JSON", func(r *Run) {
			l := List()
			for range r.Each(long) {
				l = List(l)
			}
			r.JSON(l, Bool(false), None(), None(), Bool(false))
		}, "too deep or too large for tojson"},
		{"nesting compared", func(r *Run) {
			l := List()
			for range r.Each(long) {
				l = List(l)
			}
			r.Equal(l, List(l))
		}, "too deep to be compared"},
		{"shared parts", func(r *Run) {
			l := List()
			for range r.Each(r.Range(Int(100))) {
				l = List(l, l)
			}
			r.Print(l)
		}, "too deep or too large to print"},
		{"unique", func(r *Run) { r.Unique(long, Bool(true), None()) }, "its loops take more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := run(c.write); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("have %v, want %q", err, c.want)
			}
		})
	}
}

func r100000() Value { return (&Run{}).Range(Int(limitRange)) }

func TestNow(t *testing.T) {
	have, err := run(func(r *Run) {
		r.Print(r.Now(String("%Y-%m-%dT%H:%M:%S.%f %-H %-M %e %w %u %s %p %h %F %T %D %R %z %Z%%")))
	})
	if want := "2024-12-26T07:04:05.000006 7 4 26 4 4 1735196645 AM Dec 2024-12-26 07:04:05 12/26/24 07:04 +0000 UTC%"; err != nil || have != want {
		t.Errorf("have %q, %v, want %q", have, err, want)
	}
}

func TestParseJSON(t *testing.T) {
	v, err := ParseJSON([]byte(`{"z": [1, -2.5, 1e3, 18446744073709551615], "a": {"b": null, "b": true}, "s": "\u00e9\ud83d\ude00"}`))
	if err != nil {
		t.Fatal(err)
	}
	have, err := run(func(r *Run) { r.Print(v) })
	if want := "{'z': [1, -2.5, 1000.0, 1.8446744073709552e+19], 'a': {'b': True}, 's': 'é😀'}"; err != nil || have != want {
		t.Errorf("have %s, %v, want %s", have, err, want)
	}
	for text, want := range map[string]string{
		"": "unexpected EOF", "[1": "unexpected EOF", "{": "unexpected EOF", `{"a"`: "EOF", "1 2": "text after the end", "1e999": "out of range",
		strings.Repeat("[", 200) + strings.Repeat("]", 200): "nested more than", "nul": "", "[1,]": "", "{1: 2}": "",
	} {
		if _, err := ParseJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: have %v, want %q", text, err, want)
		}
	}
}

func TestRender(t *testing.T) {
	c := &Template{Tokens: map[string]string{"bos_token": "<s>"}, Write: func(r *Run) {
		r.Print(r.Variable("bos_token"))
		for m := range r.Each(r.Variable("messages")) {
			r.Print(r.Attribute(m, "role"))
			r.Print(r.Attribute(m, "content"))
		}
		r.Print(r.Variable("tools"))
		r.Print(r.Variable("documents"))
		r.Print(r.Variable("add_generation_prompt"))
		r.Print(r.Variable("other"))
	}}
	messages := List(Message("user", "hi"))
	for _, k := range []struct {
		in   Input
		want string
	}{
		{Input{Messages: messages, AddGenerationPrompt: true}, "<s>userhiNoneNoneTrue"},
		{Input{Messages: messages, Tools: List(Int(1))}, "<s>userhi[1]NoneFalse"},
		{Input{Messages: messages, Variables: map[string]Value{"bos_token": String("B"), "other": Float(0.5)}}, "BuserhiNoneNoneFalse0.5"},
	} {
		if have, err := c.Render(k.in); err != nil || have != k.want {
			t.Errorf("have %q, %v, want %q", have, err, k.want)
		}
	}
}

// TestBrokenText shows that texts that are no UTF-8 do no harm.
func TestBrokenText(t *testing.T) {
	broken := String("a\xff\xfeb\xc3")
	have, err := run(func(r *Run) {
		r.Print(r.Slice(broken, Int(1), None(), None()))
		r.Print(r.Index(broken, Int(-1)))
		r.Print(r.Reverse(broken))
		r.Print(List(broken))
		r.Print(r.Capitalize(broken))
		r.Print(r.Title(broken))
		r.Print(r.JSON(broken, Bool(true), None(), None(), Bool(false)))
	})
	if err != nil || !strings.Contains(have, `\ufffd`) {
		t.Errorf("have %q, %v", have, err)
	}
}
