package template

import (
	"github.com/nikolalohinski/gonja/v2/nodes"
	"github.com/nikolalohinski/gonja/v2/tokens"
)

// A statement of the template. It is a node of gonja's, too, which its parser
// builds trees of.
type statement interface {
	nodes.Node
	pos() int
}

// place makes a statement of what embeds it.
type place struct{ at }

// Position implements nodes.Node.
func (p place) Position() *tokens.Token { return &tokens.Token{Pos: p.pos()} }

// String implements nodes.Node.
func (p place) String() string { return "statement" }

type (
	text struct {
		place
		text string
	}
	output struct { // {{ value }}
		place
		value expression
	}
	assignment struct { // set a, b = value; set a.b = value
		place
		targets   []*name
		attribute string
		value     expression
	}
	capture struct { // set a | filters … endset, or filter … endfilter without a target
		place
		target    *name
		attribute string
		value     expression // with filters around a *captured
		body      *block
	}
	condition struct {
		place
		branches  []branch
		otherwise []statement
	}
	loop struct {
		place
		targets   []*name
		over      expression
		only      expression  // nil for all
		tested    []*variable // the targets in only
		body      *block
		otherwise *block
	}
	jump struct { // break or continue
		place
		word string
	}
	macro struct {
		place
		target *name
		*signature
	}
	callBlock struct { // call(params) call … endcall
		place
		call *call
		*signature
	}
	scoped struct { // with a = value … endwith, or generation … endgeneration
		place
		targets []*name
		values  []expression
		body    *block
	}
)

type branch struct {
	condition expression
	body      []statement
}

// signature is parameters and what is done with them.
type signature struct {
	params   []*name
	defaults []expression // nil for those without
	body     *block
}

// block is a list of statements with variables of its own.
type block struct {
	statements []statement
	*scope
}

// captured stands for what a block has written.
type captured struct{ at }
