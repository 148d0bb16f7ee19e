// Package gobuild runs the installed Go toolchain, offline, over generated
// files in a temporary folder. It is one of the few places that create files.
package gobuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ModulePath names the temporary module; it shows in the binary's build info.
const ModulePath = "mambac.invalid/model"

// goVersion is what the go.mod of the temporary module asks for.
const goVersion = "1.26"

// Options describe one build.
type Options struct {
	// Files is the source of package main, by name.
	Files map[string][]byte
	// Vendor is the content of the vendor folder, by path.
	Vendor map[string][]byte
	// Requirements lists the vendored modules as "path version".
	Requirements []string
	GOOS, GOARCH string
	// Variable is a string variable, as PACKAGE.NAME, that gets a Value without
	// quotes or spaces; "" for none.
	Variable, Value string
	// Output is the path of the executable, which is overwritten.
	Output string
}

// Build compiles the files to a static executable. Equal options give equal
// bytes with the same toolchain. A cancelled context ends the toolchain and
// all it started; the temporary folder is removed in any case.
func Build(ctx context.Context, o Options) error {
	output, err := filepath.Abs(o.Output)
	if err != nil {
		return err
	}
	flags := "-ldflags=-s -w"
	if o.Variable != "" {
		flags += " -X " + o.Variable + "=" + o.Value
	}
	return o.run(ctx, flags, "-o", output, ".")
}

// Warm compiles packages of the vendor folder into the build cache, so that a
// Build that follows finds them there. It writes no output; Files are not
// needed.
func Warm(ctx context.Context, o Options, packages ...string) error {
	return o.run(ctx, packages...)
}

// run lays out the module in a temporary folder and runs go build there.
func (o *Options) run(ctx context.Context, args ...string) (err error) {
	tool, _, err := toolchain(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mambac-build-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := o.write(dir); err != nil {
		return err
	}
	// The toolchain's own temporary files lie in dir too: when it is killed, it
	// leaves them to us.
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, tool, append([]string{"build", "-trimpath", "-buildvcs=false"}, args...)...)
	cmd.Dir, cmd.Env = dir, append(environment(os.Environ(), o.GOOS, o.GOARCH), "GOTMPDIR="+work)
	var messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &messages, &messages
	group(cmd)
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("go build: %w: %s", err, oneLine(messages.String()))
	}
	return nil
}

// oneLine keeps the toolchain's messages on the error's line.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' }), "; ")
}

// toolchain finds the go command and checks its version.
func toolchain(ctx context.Context) (tool, version string, err error) {
	tool, err = exec.LookPath("go")
	if err != nil {
		return "", "", fmt.Errorf("the Go toolchain is needed to build: no go command in PATH; install Go %s or newer", goVersion)
	}
	cmd := exec.CommandContext(ctx, tool, "env", "GOVERSION")
	cmd.Env = environment(os.Environ(), "", "")
	out, err := cmd.Output()
	if err != nil {
		return "", "", fmt.Errorf("%s env GOVERSION: %w", tool, explained(err))
	}
	version = strings.TrimSpace(string(out))
	if !newEnough(version) {
		return "", "", fmt.Errorf("%s is %s; building needs Go %s or newer", tool, version, goVersion)
	}
	return tool, version, nil
}

// Version is what the go command that Build runs calls itself, as go1.26.0.
func Version(ctx context.Context) (string, error) {
	_, version, err := toolchain(ctx)
	return version, err
}

// explained adds to an error what the command said on stderr.
func explained(err error) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) || len(exit.Stderr) == 0 {
		return err
	}
	return fmt.Errorf("%w: %s", err, oneLine(string(exit.Stderr)))
}

// newEnough compares the major and minor version; development versions pass.
func newEnough(version string) bool {
	var major, minor, wantMajor, wantMinor int
	if n, _ := fmt.Sscanf(version, "go%d.%d", &major, &minor); n < 2 {
		return strings.HasPrefix(version, "devel")
	}
	fmt.Sscanf(goVersion, "%d.%d", &wantMajor, &wantMinor)
	return major > wantMajor || major == wantMajor && minor >= wantMinor
}

// environment is the caller's, less everything that could change the result
// or reach for the network.
func environment(base []string, goos, goarch string) []string {
	fixed := map[string]string{
		"CGO_ENABLED": "0", "GOPROXY": "off", "GOWORK": "off", "GOENV": "off", "GOTOOLCHAIN": "local",
		"GOFLAGS": "-mod=vendor", "GO111MODULE": "on", "GOAMD64": "v1", "GOARM64": "v8.0", "GOEXPERIMENT": "",
		"GODEBUG": "", "GOFIPS140": "off", "GOTELEMETRY": "off",
	}
	if goos != "" {
		fixed["GOOS"], fixed["GOARCH"] = goos, goarch
	}
	var env []string
	cache := false
	for _, kv := range base {
		key, value, _ := strings.Cut(kv, "=")
		if _, ok := fixed[key]; !ok {
			env = append(env, kv)
			cache = cache || key == "GOCACHE" && value != ""
		}
	}
	if _, err := os.UserCacheDir(); err != nil && !cache {
		fixed["GOCACHE"] = filepath.Join(os.TempDir(), "mambac-go-cache")
	}
	for key, value := range fixed {
		env = append(env, key+"="+value)
	}
	return env
}

// write lays out the module.
func (o *Options) write(dir string) error {
	var mod strings.Builder
	fmt.Fprintf(&mod, "module %s\n\ngo %s\n\n", ModulePath, goVersion)
	for _, r := range o.Requirements {
		fmt.Fprintf(&mod, "require %s\n", r)
	}
	if err := put(dir, "go.mod", []byte(mod.String())); err != nil {
		return err
	}
	for name, data := range o.Files {
		if err := put(dir, name, data); err != nil {
			return err
		}
	}
	for name, data := range o.Vendor {
		if err := put(filepath.Join(dir, "vendor"), name, data); err != nil {
			return err
		}
	}
	return nil
}

func put(dir, name string, data []byte) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}
