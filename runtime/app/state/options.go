package state

import (
	"flag"
	"path/filepath"
	"strings"
	"time"

	"github.com/mambac/mambac/runtime/app"
)

// now tells when a state is made.
var now = time.Now

// options is what the flags of commands that read a text say.
type options struct {
	app.Workers
	from          string
	label, source string
	quiet         bool
}

func (o *options) register(f *flag.FlagSet) {
	o.Register(f)
	o.RegisterContext(f)
	f.StringVar(&o.from, "from", "", "")
	f.StringVar(&o.label, "label", "", "")
	f.StringVar(&o.source, "source", "", "")
	f.BoolVar(&o.quiet, "q", false, "")
}

// sourceOr is what the text is from: without a word about it, the names of the
// files, whose folders are nobody's business.
func (o *options) sourceOr(files ...string) string {
	if o.source != "" {
		return o.source
	}
	var names []string
	for _, file := range files {
		if file != "" && file != "-" {
			names = append(names, filepath.Base(file))
		}
	}
	return strings.Join(names, ", ")
}
