package template

import (
	"strings"
	"testing"
)

// TestRefused shows that what cannot be compiled is an error that says where and
// what it is.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"{{ a | truncate(3) }}", `line 1: filter "truncate" is not supported`},
		{"a\n{{ a is weird }}", `line 2: test "weird" is not supported`},
		{"\n\n{{ a is odd(1) }}", `line 3: test "odd" with 1 arguments is not supported`},
		{"{{ a.append(1) }}", `method "append" is not supported`},
		{"{{ a.split(sep=',') }}", `method "split" is only supported without names`},
		{"{{ a.upper(1) }}", `method "upper" with 1 arguments is not supported`},
		{"{{ lipsum() }}", `function "lipsum" with 0 arguments`},
		{"{{ range }}", `function "range" is not supported as a value`},
		{"{{ range(1, 2, 3, 4) }}", `function "range" with 4 arguments`},
		{"{{ raise_exception() }}", `function "raise_exception" with 0 arguments`},
		{"{{ namespace({'a': 1}) }}", `function "namespace" with 1 arguments`},
		{"{% include 'x' %}", `line 1: block "include" is not supported`},
		{"x\n{% extends 'x' %}", `line 2: block "extends" is not supported`},
		{"{% do x %}", `block "do" is not supported`},
		{"{% block x %}{% endblock %}", `block "block" is not supported`},
		{"{% autoescape true %}{% endautoescape %}", `block "autoescape" is not supported`},
		{"{% endfor %}", `block "endfor" is not supported, or has no beginning`},
		{"{% for x in y recursive %}{% endfor %}", "recursive loops are not supported"},
		{"{% for x in y %}{{ loop }}{% endfor %}", "the variable loop is not supported as a value"},
		{"{% for x in y %}{{ loop.depth }}{% endfor %}", "loop.depth is not supported"},
		{"{% for x in y %}{{ loop(x) }}{% endfor %}", "the variable loop is not supported as a value"},
		{"{% break %}", "break outside of a loop"},
		{"{% for x in y %}{% macro f() %}{% continue %}{% endmacro %}{% endfor %}", "continue outside of a loop"},
		{"{{ {1: 2} }}", "keys of mappings that are not constant texts"},
		{"{{ a[1, 2] }}", "several keys between brackets"},
		{"{{ f(*a) }}", "arguments from a list or mapping (*)"},
		{"{{ f(**a) }}", "arguments from a list or mapping (**)"},
		{"{% macro f(*a) %}{% endmacro %}", "parameters that take all other arguments"},
		{"{% macro f(a, a) %}{% endmacro %}", `"a" twice`},
		{"{% macro f(a=1, b) %}{% endmacro %}", "a parameter without a value behind one with a value"},
		{"{{ f(a=1, 2) }}", "an argument without a name behind one with a name"},
		{"{{ a < f(b) < c }}", "a chain of comparisons"},
		{"{{ '%s' % a }}", "formatting with % is not supported"},
		{"{{ a | map('weird') | list }}", `filter "weird" is not supported`},
		{"{{ a | map(b) | list }}", `filter "map" is only supported with a constant name`},
		{"{{ a | map | list }}", `filter "map" needs an attribute or a filter`},
		{"{{ a | selectattr | list }}", `filter "selectattr" needs an attribute`},
		{"{{ a | select('weird') | list }}", `test "weird"`},
		{"{{ a | join(x=1) }}", `filter "join" with an argument "x" is not supported`},
		{"{{ a | join(',', d=1) }}", `filter "join" with an argument "d" is not supported`},
		{"{{ a | replace('a') }}", `filter "replace" needs an argument "new"`},
		{"{{ a | upper(1) }}", `filter "upper" takes at most 0 arguments`},
		{"{{ ('a' | safe) + b }}", `filter "safe" is not supported`},
		{"{% set x | int is odd %}{% endset %}", "a block is only followed by filters"},
		{"{% set loop = 1 %}", `"loop" cannot be assigned to`},
		{"{% set 1 = 1 %}", `syntax: "1" is not expected`},
		{"{% set a, b %}{% endset %}", "syntax: the block ends too early"},
		{"{% call 1 %}{% endcall %}", "a call block without a call"},
		{"{% call range(3) %}{% endcall %}", `a block for function "range"`},
		{"{% call a.strip() %}{% endcall %}", `a block for method "strip"`},
		{"{{ }}", "syntax: the block ends too early"},
		{"{{ a b }}", `syntax: "b" is not expected`},
		{"{{ a ; b }}", `syntax: ";" is not expected`},
		{"{{ a\n;.b }}", `line 2: syntax: ";" is not expected`},
		{"{{ a ? b }}", `syntax: "?" is not expected`},
		{"{{ a ! b }}", "syntax: "},
		{"{{ (a }}", "syntax: "},
		{"{{ a) }}", "syntax: "},
		{"{{ [1, 2 }}", "syntax: "},
		{"{{ 'a }}", "syntax: "},
		{"{{ 'a\\", "syntax: "},
		{`{{ '\x4' }}`, "an escape that is not known"},
		{`{{ '\N{BULLET}' }}`, "an escape that is not known"},
		{"{{ a is b is c }}", "syntax: a test of a test"},
		{"{{ 99999999999999999999 }}", "number 99999999999999999999 is beyond 64 bits"},
		{"{{ a", "syntax: "},
		{"{% if a %}x", "syntax: "},
		{"{% if %}x{% endif %}", "syntax: the block ends too early"},
		{"{% if a %}{% else b %}{% endif %}", `syntax: "b" is not expected`},
		{"{% if a %}{% endif b %}", `syntax: "b" is not expected`},
		{"{% for a %}{% endfor %}", "syntax: the block ends too early"},
		{"{# never ends", "syntax: unclosed comment"},
		{"{% raw %}never ends", "syntax: "},
		{"{% %}", `block "" is not supported`},
		{strings.Repeat("(", 200) + "", ""}, // text only
		{"{{ " + strings.Repeat("(", 200) + "1" + strings.Repeat(")", 200) + " }}", "expressions nested more than"},
		{"{{ " + strings.Repeat("not ", 200) + "1 }}", "expressions nested more than"},
		{"{{ " + strings.Repeat("-", 200) + "1 }}", "expressions nested more than"},
		{"{{ 1" + strings.Repeat("+ 1", 400) + " }}", "a chain of more than 100 operations"},
		{"{{ a" + strings.Repeat(".b", 400) + " }}", "a chain of more than 100 operations"},
		{"{{ a" + strings.Repeat("|trim", 400) + " }}", "a chain of more than 100 operations"},
		{strings.Repeat("{% if a %}", 200) + strings.Repeat("{% endif %}", 200), "blocks nested more than"},
		{"{% if a %}" + strings.Repeat("{% elif a %}", 400) + "{% endif %}", "more than 100 conditions"},
		{"{{ " + strings.Repeat("(1 if a else ", 20) + "1" + strings.Repeat(") ~ 1", 20) + " }}", "conditional expressions, macros and blocks of set nested more than"},
		{strings.Repeat("{% set a %}", 20) + strings.Repeat("{% endset %}", 20), "conditional expressions, macros and blocks of set nested more than"},
		{strings.Repeat("a", limitText+1), "bytes, want at most"},
	} {
		err := Check(c.text)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%.60q: %v", c.text, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%.60q: have %v, want %q", c.text, err, c.want)
		case c.want != "" && (strings.Contains(err.Error(), "\n") || !strings.Contains(c.want, "bytes") && !strings.HasPrefix(err.Error(), "line ")):
			t.Errorf("%.60q: %q is not one line that begins with a line's number", c.text, err)
		}
	}
}
