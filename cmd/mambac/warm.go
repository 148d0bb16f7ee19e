package main

import (
	"context"

	"github.com/mambac/mambac/codegen/gobuild"
	"github.com/mambac/mambac/runtime"
)

// toolchain is how gobuild compiles for the target, less the files.
func (o *choice) toolchain() (gobuild.Options, error) {
	vendor, err := runtime.Vendor()
	if err != nil {
		return gobuild.Options{}, err
	}
	requirements, err := runtime.Requirements()
	goos, goarch := o.system()
	return gobuild.Options{
		Vendor: vendor, Requirements: append(requirements, runtime.Module+" "+runtime.ModuleVersion),
		GOOS: goos, GOARCH: goarch,
	}, err
}

// warm starts compiling the runtime while the model is still being imported
// and its code emitted: with a cold build cache that is nearly all of the
// toolchain's work. The returned function ends it and leaves nothing behind.
// Whether it succeeds does not matter: the build itself tells what is wrong.
func (o *choice) warm(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	o.warmed = done
	go func() {
		defer close(done)
		if g, err := o.toolchain(); err == nil {
			_ = gobuild.Warm(ctx, g, o.packages()...)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// packages lists what the program imports that takes most of its compilation.
func (o *choice) packages() []string {
	list := []string{runtime.Module + "/runtime/app"}
	for _, name := range o.features() {
		list = append(list, list[0]+"/"+name)
	}
	return list
}

// awaitWarm waits for warm, if it was started: two toolchains at once would
// compile the same packages twice.
func (o *choice) awaitWarm() {
	if o.warmed != nil {
		<-o.warmed
	}
}
