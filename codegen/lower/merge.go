package lower

import (
	"strconv"

	"github.com/mambac/mambac/codegen/plan"
)

// merge makes equal regions share one block: temporaries that lie in the same
// place become one buffer, then blocks that print alike become one.
func merge(p *plan.Plan) {
	canonical := mergeBuffers(p)
	for _, b := range p.Blocks {
		for _, body := range b.Bodies {
			for _, phase := range body.Phases {
				if loop := phase.Loop; loop != nil && canonical[loop.Weights.Buffer] != nil {
					loop.Weights.Buffer = canonical[loop.Weights.Buffer]
				}
				for _, step := range phase.Steps {
					for i := range step.Args {
						if c := canonical[step.Args[i].Buffer]; c != nil {
							step.Args[i].Buffer = c
						}
					}
				}
			}
		}
	}
	for i := range p.Taps {
		p.Taps[i].Buffer = canonical[p.Taps[i].Buffer]
	}
	mergeBlocks(p)
}

// mergeBuffers keeps one of each set of equal buffers and makes names unique.
func mergeBuffers(p *plan.Plan) map[*plan.Buffer]*plan.Buffer {
	canonical := map[*plan.Buffer]*plan.Buffer{}
	byValue := map[plan.Buffer]*plan.Buffer{}
	names := map[string]bool{}
	var kept []*plan.Buffer
	for _, b := range p.Buffers {
		key := *b
		if c := byValue[key]; c != nil {
			canonical[b] = c
			continue
		}
		byValue[key], canonical[b] = b, b
		base := b.Name
		for n := 2; names[b.Name]; n++ {
			b.Name = base + strconv.Itoa(n)
		}
		names[b.Name] = true
		kept = append(kept, b)
	}
	p.Buffers = kept
	return canonical
}

func mergeBlocks(p *plan.Plan) {
	byText := map[string]*plan.Block{}
	names := map[string]bool{}
	var kept []*plan.Block
	for i := range p.Calls {
		b := p.Calls[i].Block
		text := plan.FormatBlock(b)
		if c := byText[text]; c != nil {
			p.Calls[i].Block = c
			continue
		}
		byText[text] = b
		base := b.Name
		for n := 2; names[b.Name]; n++ {
			b.Name = base + strconv.Itoa(n)
		}
		names[b.Name] = true
		kept = append(kept, b)
	}
	p.Blocks = kept
}
