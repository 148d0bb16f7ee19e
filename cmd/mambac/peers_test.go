//go:build peers && linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mambac/mambac/importer/synth"
)

// TestPeers measures mambac against llama.cpp on this machine and writes
// docs/peers.md, docs/peers.svg and the table of the README: make bench-peers.
func TestPeers(t *testing.T) {
	p := newPeers(t)
	p.llama = newLlama(t, p.cache)
	p.Llama = p.llama.describe(t)
	p.keepOld()
	for _, name := range p.models {
		if slices.Contains(synth.Presets(), name) {
			p.speed(name)
		} else {
			p.quality(name)
		}
		p.sort()
		p.publish() // hours may follow
	}
}

// peers is a run of the comparison.
type peers struct {
	comparison
	workshop
	llama   *llama
	formats []string // of either side; empty for all
	threads []int
	rounds  int

	samples, disturbed int // of the model at hand
}

// peersData holds the figures that the documents are made of, for later runs.
var peersData = filepath.Join("docs", "peers.json")

// keepOld keeps what was measured of other models on this machine.
func (p *peers) keepOld() {
	text, err := os.ReadFile(filepath.Join(p.root, peersData))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var old comparison
	if err == nil {
		err = json.Unmarshal(text, &old)
	}
	if err != nil {
		p.t.Fatalf("%s: %v; without that file nothing is kept", peersData, err)
	}
	p.keepFrom(&old, p.models)
}

// newPeers reads what the variables of the Makefile say.
func newPeers(t *testing.T) *peers {
	p := &peers{
		workshop: newWorkshop(t, "PEERS", strings.Join(peersModels, " "), 5),
		formats:  strings.Fields(os.Getenv("FORMATS")), threads: numbersOf(t, variable("THREADS", "1 2")),
	}
	p.rounds, p.machine = numbersOf(t, variable("ROUNDS", "5"))[0], thisMachine(t)
	return p
}

// wants reports whether a format was asked for.
func (p *peers) wants(format string) bool {
	return len(p.formats) == 0 || slices.Contains(p.formats, format)
}

// ourFlags are the flags of build for our formats.
func (p *peers) ourFlags(format string) []string {
	weights, rest, _ := strings.Cut(format, " ")
	flags := []string{"--weights", weights}
	switch rest {
	case "":
	case "calibrated":
		flags = append(flags, "--calibrate", p.goText())
	default:
		flags = append(flags, "--math", rest)
	}
	return flags
}

// goText is a text of the kind that the trained models know, none of which they
// are judged by: the sources of a package of Go's own.
func (p *peers) goText() string {
	path := filepath.Join(p.work, "net-http.txt")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	root := strings.TrimSpace(succeed(p.t, exec.Command("go", "env", "GOROOT")))
	files, err := filepath.Glob(filepath.Join(root, "src", "net", "http", "*.go"))
	if err != nil || len(files) == 0 {
		p.t.Fatalf("%s: no sources of net/http (%v)", root, err)
	}
	var text []byte
	for _, file := range files {
		part, err := os.ReadFile(file)
		if err != nil {
			p.t.Fatal(err)
		}
		text = append(text, part...)
	}
	if err := os.WriteFile(path, text, 0o666); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// ours builds the programs of the formats that can be built here; what mambac
// says of the others becomes a note. The flags are for all of them.
func (p *peers) ours(checkpoint string, formats []string, flags ...string) []*contestant {
	var list []*contestant
	for _, format := range formats {
		path := filepath.Join(p.work, strings.ReplaceAll(format, " ", "-"))
		cmd := exec.Command("mambac", slices.Concat([]string{"build", checkpoint, "-q", "-o", path}, p.ourFlags(format), flags)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			p.note("%s: %s", format, strings.TrimSpace(string(out)))
			continue
		}
		list = append(list, &contestant{subject: &subject{Ours: true, Format: format, File: size(p.t, path)}, path: path})
	}
	return list
}

// theirs makes the files of llama.cpp: those of whole types by mambac, the rest
// by its own llama-quantize, from a file of the type base.
func (p *peers) theirs(checkpoint, base string, types []string) []*contestant {
	var list []*contestant
	source := ""
	for _, name := range types {
		path := filepath.Join(p.work, name+".gguf")
		switch name {
		case "F32", "F16", "BF16", "Q8_0":
			p.gguf(checkpoint, path, name)
		default:
			if source == "" {
				source = filepath.Join(p.work, base+".gguf")
				if _, err := os.Stat(source); err != nil {
					p.gguf(checkpoint, source, base)
				}
			}
			p.llama.quantize(p.t, source, path, name)
		}
		list = append(list, &contestant{subject: &subject{Format: name, File: size(p.t, path)}, path: path})
	}
	return list
}

func (p *peers) gguf(checkpoint, path, name string) {
	compiler(p.t, "convert", checkpoint, "-q", "--to", "gguf", "--dtype", strings.ToLower(name), "--out", path)
}

// contestant is a subject and the file that is run: a program of ours, weights
// of theirs.
type contestant struct {
	*subject
	path    string
	witness *subject // the same file and another build of llama.cpp
}

// chosen lists our formats and theirs, of a set of pairs, that were asked for.
func (p *peers) chosen(ours, theirs []string) (ourFormats, theirTypes []string) {
	for _, pair := range pairs {
		if !p.wants(pair.ours) && !p.wants(pair.theirs) {
			continue
		}
		if slices.Contains(ours, pair.ours) && !slices.Contains(ourFormats, pair.ours) {
			ourFormats = append(ourFormats, pair.ours)
		}
		if slices.Contains(theirs, pair.theirs) && !slices.Contains(theirTypes, pair.theirs) {
			theirTypes = append(theirTypes, pair.theirs)
		}
	}
	return ourFormats, theirTypes
}

// note tells once what could not be measured.
func (p *peers) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(p.Notes, text) {
		p.Notes = append(p.Notes, text)
		p.t.Log(text)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return st.Size()
}

// publish writes the documents. A chart and a summary need a model's speed.
func (p *peers) publish() {
	data, err := json.MarshalIndent(&p.comparison, "", " ")
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(peersData, string(data)+"\n")
	p.write(filepath.Join("docs", "peers.md"), p.markdown())
	if len(p.Models) == 0 {
		return
	}
	p.write(filepath.Join("docs", "peers.svg"), p.chart())
	p.renew(peersMarks, p.summary())
}
