package serve

import (
	"flag"
	"os"
	"strings"
	"time"

	"github.com/mambac/mambac/runtime/app"
	"github.com/mambac/mambac/runtime/serve"
)

// options is what the flags say.
type options struct {
	app.Workers
	serve   serve.Options
	address string
	open    bool // to everybody who can reach it
	log     string
	grace   time.Duration

	prefixMemory int64
	spill        string // folder, "" for none
	spillMax     int64
	library      string // folder, "" for the user's
	noLibrary    bool
}

func parse(args []string) (*options, error) {
	o := &options{serve: serve.Options{Limits: serve.DefaultLimits()}}
	f := app.NewFlags("serve")
	o.Register(f)
	o.RegisterContext(f)
	o.registerAccess(f)
	o.registerLimits(f)
	o.registerStates(f)
	if _, err := app.Parse(f, args, 0); err != nil {
		return nil, err
	}
	for i, name := range o.serve.Hosts {
		o.serve.Hosts[i] = strings.ToLower(name)
	}
	if key := os.Getenv(keyVariable); key != "" {
		o.serve.Keys = append(o.serve.Keys, key)
	}
	return o, o.check()
}

// registerAccess adds the flags that say who may ask, and what is told of it.
func (o *options) registerAccess(f *flag.FlagSet) {
	f.StringVar(&o.address, "addr", "127.0.0.1:8080", "")
	f.BoolVar(&o.open, "no-auth", false, "")
	f.StringVar(&o.serve.Name, "name", "", "")
	f.DurationVar(&o.grace, "grace", 30*time.Second, "")
	f.StringVar(&o.log, "log", "text", "")
	for name, list := range map[string]*[]string{"api-key": &o.serve.Keys, "allow-host": &o.serve.Hosts, "allow-origin": &o.serve.Origins} {
		f.Func(name, "", func(text string) error {
			*list = append(*list, text)
			return nil
		})
	}
}

// registerLimits adds the flags that say how much may be asked for.
func (o *options) registerLimits(f *flag.FlagSet) {
	l := &o.serve.Limits
	f.IntVar(&l.Slots, "slots", l.Slots, "")
	f.IntVar(&l.Queue, "queue", l.Queue, "")
	f.IntVar(&l.Prompt, "max-prompt", l.Prompt, "")
	f.IntVar(&l.Tokens, "max-tokens", l.Tokens, "")
	f.Int64Var(&l.Body, "max-body", l.Body, "")
}

// registerStates adds the flags that say where states are kept.
func (o *options) registerStates(f *flag.FlagSet) {
	f.Int64Var(&o.prefixMemory, "prefix-memory", 256<<20, "")
	f.StringVar(&o.spill, "prefix-spill", "", "")
	f.Int64Var(&o.spillMax, "prefix-spill-max", 1<<30, "")
	f.StringVar(&o.library, "library", "", "")
	f.BoolVar(&o.noLibrary, "no-library", false, "")
	f.Int64Var(&o.serve.Limits.Library, "library-max", o.serve.Limits.Library, "")
}

// check tells of what makes no sense.
func (o *options) check() error {
	if err := o.checkNumbers(); err != nil {
		return err
	}
	if err := o.checkNames(); err != nil {
		return err
	}
	for _, key := range o.serve.Keys {
		if strings.TrimSpace(key) != key || key == "" {
			return app.Usagef("--api-key is empty or has spaces around it")
		}
	}
	switch {
	case o.spill != "" && o.prefixMemory == 0:
		return app.Usagef("--prefix-spill needs memory first: leave --prefix-memory 0 out")
	case o.noLibrary && o.library != "":
		return app.Usagef("--no-library contradicts --library %s", o.library)
	}
	if o.log != "text" && o.log != "json" && o.log != "off" {
		return app.Usagef("--log %s: want text, json or off", o.log)
	}
	if err := o.Check(); err != nil {
		return err
	}
	return o.checkAddress()
}

func (o *options) checkNumbers() error {
	l := &o.serve.Limits
	for _, c := range []struct {
		flag        string
		have, least int64
	}{
		{"slots", int64(l.Slots), 1}, {"queue", int64(l.Queue), 0}, {"max-prompt", int64(l.Prompt), 1},
		{"max-tokens", int64(l.Tokens), 1}, {"max-body", l.Body, 1}, {"grace", int64(o.grace), 0},
		{"prefix-memory", o.prefixMemory, 0}, {"prefix-spill-max", o.spillMax, 1}, {"library-max", l.Library, 1},
	} {
		if c.have < c.least {
			return app.Usagef("--%s %d: want at least %d", c.flag, c.have, c.least)
		}
	}
	return nil
}
