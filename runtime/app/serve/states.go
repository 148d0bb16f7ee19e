package serve

import (
	"fmt"

	"github.com/mambac/mambac/runtime/library"
	"github.com/mambac/mambac/runtime/prefix"
	"github.com/mambac/mambac/runtime/serve"
	"github.com/mambac/mambac/runtime/snapshot"
)

// openStates makes what keeps states: for texts that begin likewise, and by name.
func (o *options) openStates() (closeStates func(), err error) {
	s := &o.serve
	s.Codec = snapshot.New(s.Meta, s.Engine.Shape(), s.Engine)
	if err := o.openLibrary(); err != nil {
		return nil, err
	}
	if o.prefixMemory == 0 {
		return func() {}, nil
	}
	p := serve.Prefixes(s.Engine, s.Meta, o.prefixMemory)
	if o.spill != "" {
		if p.Spill, err = prefix.OpenSpill(o.spill, o.spillMax, serve.Spilled{Codec: s.Codec}); err != nil {
			return nil, fmt.Errorf("--prefix-spill %s: %w", o.spill, err)
		}
		p.Spill.OnError = func(err error) { s.Log.Warn("states that memory has no room for are lost", "error", err) }
	}
	s.Prefix = prefix.New(p)
	return s.Prefix.Close, nil
}

// openLibrary opens the library. Without a home, as in a container, there is none
// unless somebody says where.
func (o *options) openLibrary() error {
	s := &o.serve
	if o.noLibrary {
		return nil
	}
	folder := o.library
	var err error
	if folder == "" {
		folder, err = library.Folder(s.Meta.Identity)
	}
	if err == nil {
		s.Library, err = library.Open(folder)
	}
	switch {
	case err != nil && o.library != "":
		return fmt.Errorf("--library %s: %w", o.library, err)
	case err != nil:
		s.Library = nil
		s.Log.Warn("there is no library of states", "error", err)
	}
	return nil
}
