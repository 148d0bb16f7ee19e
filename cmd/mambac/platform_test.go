package main

import (
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/codegen"
	"github.com/mambac/mambac/runtime/payload"
)

// TestTargets: every target of the table is accepted, others are named with
// all that there are, and programs for a foreign one hold all its levels.
func TestTargets(t *testing.T) {
	for _, name := range targets() {
		o := newChoice()
		o.platform = name
		if err := o.check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, goarch := o.system()
		if got, want := o.levels(), codegen.Levels(goarch); name != platform() && !slices.Equal(got, want) {
			t.Errorf("%s: levels %v, want %v", name, got, want)
		}
	}
	for _, name := range []string{"linux", "/", "linux/arm64/v8", "plan9/amd64", "wasip1/amd64"} {
		o := newChoice()
		o.platform = name
		var usage *usageError
		if err := o.check(); !errors.As(err, &usage) || !strings.Contains(err.Error(), strings.Join(targets(), ", ")) {
			t.Errorf("%q: %v, want wrong usage with a list of targets", name, err)
		}
	}
}

// TestPlaces: names and the file of the payload follow from the system.
func TestPlaces(t *testing.T) {
	m := &model{name: "m.5"}
	for _, c := range []struct{ target, out, payload, wantOut, wantPayload string }{
		{"linux/arm64", "", "", "m.5", ""},
		{"windows/amd64", "", "", "m.5.exe", ""},
		{"windows/amd64", "a", "w", "a", "w"},
		{"darwin/arm64", "", "", "m.5", "m.5.payload"},
		{"darwin/arm64", "", "w", "m.5", "w"},
		{"wasip1/wasm", "", "", "m.5.wasm", "m.5.payload"},
		{"wasip1/wasm", "a/b.wasm", "", "a/b.wasm", "a/b.payload"},
	} {
		f := &buildFlags{choice: choice{platform: c.target}, out: c.out, payload: c.payload}
		f.place(m)
		if f.out != c.wantOut || f.payload != c.wantPayload {
			t.Errorf("%+v: have %s and %q", c, f.out, f.payload)
		}
		if apart := f.payload != ""; apart != (f.reason() != "") {
			t.Errorf("%+v: reason %q", c, f.reason())
		}
	}
}

// TestFormats builds a program of each kind of file.
func TestFormats(t *testing.T) {
	for _, target := range []string{"darwin/arm64", "windows/amd64"} {
		t.Run(target, func(t *testing.T) { checkFormat(t, target, buildFor(t, target, example)) })
	}
}

// buildFor makes a program for a target, in a folder of its own.
func buildFor(t *testing.T, target, checkpoint string, flags ...string) built {
	t.Helper()
	name := filepath.Join(t.TempDir(), systemOf(target).executable("model"))
	text := compiler(t, append([]string{"build", checkpoint, "-q", "--json", "--target", target, "-o", name}, flags...)...)
	var b built
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// checkFormat opens a program as its system would, and its payload.
func checkFormat(t *testing.T, target string, b built) {
	t.Helper()
	goos, goarch, _ := strings.Cut(target, "/")
	switch goos {
	case "linux", "freebsd":
		checkELF(t, b.Path, goos, goarch)
	case "darwin":
		checkMachO(t, b.Path, goarch)
	case "windows":
		checkPE(t, b.Path, goarch)
	case "wasip1":
		if head := read(t, b.Path)[:8]; string(head) != "\x00asm\x01\x00\x00\x00" {
			t.Errorf("%s begins with %q", b.Path, head)
		}
	}
	if apart := systemOf(target).apart != ""; apart != (b.Payload != "") {
		t.Errorf("payload in %q", b.Payload)
	}
	checkPayload(t, b)
}

// checkPayload finds the payload where build says it is, and nowhere else.
func checkPayload(t *testing.T, b built) {
	t.Helper()
	file := b.Path
	if b.Payload != "" {
		file = b.Payload
		if _, err := payload.Open(b.Path); !errors.Is(err, payload.ErrMissing) {
			t.Errorf("%s: %v, want no payload", b.Path, err)
		}
	}
	p, err := payload.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Check(); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkELF demands an executable for the machine without interpreter and
// libraries.
func checkELF(t *testing.T, path, goos, goarch string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "riscv64": elf.EM_RISCV}[goarch]
	if f.Machine != machine || (f.OSABI == elf.ELFOSABI_FREEBSD) != (goos == "freebsd") {
		t.Errorf("%s: %v for %v", path, f.Machine, f.OSABI)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("%s: has a program header %v", path, p.Type)
		}
	}
	if libraries, err := f.ImportedLibraries(); err == nil && len(libraries) > 0 {
		t.Errorf("%s: needs %v", path, libraries)
	}
}

// checkMachO demands an executable for the machine; a signature reaches to the
// end of the file, and arm64 has one.
func checkMachO(t *testing.T, path, goarch string) {
	t.Helper()
	const codeSignature = 0x1d
	f, err := macho.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if want := map[string]macho.Cpu{"amd64": macho.CpuAmd64, "arm64": macho.CpuArm64}[goarch]; f.Cpu != want || f.Type != macho.TypeExec {
		t.Errorf("%s: %v for %v", path, f.Type, f.Cpu)
	}
	signed := false
	for _, l := range f.Loads {
		raw := l.Raw()
		if binary.LittleEndian.Uint32(raw) != codeSignature {
			continue
		}
		signed = true
		end := int(binary.LittleEndian.Uint32(raw[8:])) + int(binary.LittleEndian.Uint32(raw[12:]))
		if size := len(read(t, path)); end != size {
			t.Errorf("%s: signature ends at %d of %d bytes", path, end, size)
		}
	}
	if goarch == "arm64" && !signed {
		t.Errorf("%s: is not signed", path)
	}
}

func checkPE(t *testing.T, path, goarch string) {
	t.Helper()
	f, err := pe.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if want := map[string]uint16{"amd64": pe.IMAGE_FILE_MACHINE_AMD64, "arm64": pe.IMAGE_FILE_MACHINE_ARM64}[goarch]; f.Machine != want {
		t.Errorf("%s: machine %#x, want %#x", path, f.Machine, want)
	}
}
