package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mambac/mambac/runtime/payload"
)

// Names of files in a release.
const (
	sumsName     = "SHA256SUMS"
	manifestName = "manifest.json"
	sbomExt      = ".cdx.json" // as CycloneDX wants
	reportExt    = ".report.json"
)

// manifest is what a release holds; the object of build --all-targets --json.
type manifest struct {
	Name        string            `json:"name"`
	Family      string            `json:"family"`
	Choices     map[string]string `json:"choices,omitempty"` // what no config says
	Weights     string            `json:"weights"`
	Math        string            `json:"math"`
	Fingerprint string            `json:"fingerprint"`
	Mambac      string            `json:"mambac"`
	With        []string          `json:"with,omitempty"` // commands that were added
	Programs    []releasedProgram `json:"programs"`
	Payload     *releasedFile     `json:"payload,omitempty"` // that programs share
	SBOM        string            `json:"sbom"`
	Report      string            `json:"report,omitempty"`
}

// releasedFile is a file of a release; a dry run knows but its name.
type releasedFile struct {
	File   string `json:"file"`
	Size   int64  `json:"size,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

type releasedProgram struct {
	releasedFile
	Target  string   `json:"target"`
	Levels  []string `json:"levels"`
	Payload string   `json:"payload,omitempty"`        // "" if it is in the program
	Reason  string   `json:"payload_reason,omitempty"` // why it is not
}

// release makes programs for several targets in one folder.
type release struct {
	*buildFlags
	*model
	folder string // at its staging path
	report []byte // nil for none
	digest [32]byte
	manifest
}

// checkRelease tells of wrong usage.
func (f *buildFlags) checkRelease() error {
	switch {
	case f.tune:
		return usagef("--tune measures for one program; --all-targets takes what it has measured by --tuning FILE")
	case f.out != "":
		return usagef("-o %s: --all-targets names the programs itself", f.out)
	case f.payload != "" && filepath.Base(f.payload) != f.payload:
		return usagef("--payload %s: want the name of a file in the folder of --all-targets", f.payload)
	}
	if err := f.checkSeveral(f.targets); err != nil {
		return err
	}
	return f.reportFlags.check(&f.choice)
}

func runRelease(ctx context.Context, c *console, f *buildFlags, argument string) error {
	if err := f.checkRelease(); err != nil {
		return err
	}
	m, err := c.openForProgram(argument, f.options())
	if err != nil {
		return err
	}
	defer m.close()
	if err := m.refuseOutputs(output{"--all-targets", f.allTargets}, output{"--report", f.report}, output{"--report-text", f.reportText}, output{"--calibrate", f.text}); err != nil {
		return err
	}
	p := c.progress(f.json || f.dryRun)
	defer p.end()
	end, err := f.prepare(ctx, m, f.dryRun, p)
	if err != nil {
		return err
	}
	defer end()
	r := &release{buildFlags: f, model: m}
	codes, err := r.plan()
	if err != nil {
		return err
	}
	if !f.dryRun {
		if err := r.make(ctx, codes, p); err != nil {
			return err
		}
	}
	p.end()
	return r.print(c)
}

// plan compiles for every target and names the files.
func (r *release) plan() ([]*compiled, error) {
	shared := r.payload
	if shared == "" {
		shared = r.name + payload.Ext
	}
	codes, err := r.compileSeveral(r.model, r.targets, "build")
	if err != nil {
		return nil, err
	}
	for i, target := range r.targets {
		c, s := codes[i], systemOf(target)
		e := releasedProgram{Target: target, Levels: c.levels, Reason: s.apart}
		e.File = s.executable(r.name + "-" + strings.ReplaceAll(target, "/", "-"))
		if r.payload != "" {
			e.Reason = "as --payload says"
		}
		if e.Reason != "" {
			e.Payload, r.Payload = shared, &releasedFile{File: shared}
		}
		r.Programs = append(r.Programs, e)
	}
	c := codes[0]
	r.Name, r.Family, r.Weights, r.Math, r.Fingerprint = r.name, c.Family, c.weights, c.math, c.Fingerprint
	r.Mambac, r.SBOM, r.With, r.Choices = version, r.name+sbomExt, r.features(), r.chosen()
	if r.buildFlags.report != "" {
		r.Report = r.name + reportExt
	}
	return codes, r.checkNames()
}

// checkNames demands that no two files have one name.
func (r *release) checkNames() error {
	names := []string{sumsName, manifestName, r.SBOM, r.Report}
	for _, e := range r.Programs {
		names = append(names, e.File)
	}
	if r.Payload != nil && slices.Contains(names, r.Payload.File) {
		return usagef("--payload %s: is the name of another file of the folder", r.Payload.File)
	}
	return nil
}

// bytes is more than the folder will hold.
func (r *release) bytes(packed int64) int64 {
	total := int64(0)
	for _, e := range r.Programs {
		if total += executableBytes; e.Payload == "" {
			total += packed
		}
	}
	if r.Payload != nil {
		total += packed
	}
	return total
}

// make makes the folder; the user's own copy of the report comes last.
func (r *release) make(ctx context.Context, codes []*compiled, p progress) error {
	if err := requireSpace(r.allTargets, r.bytes(codes[0].Plan.Bytes)); err != nil {
		return err
	}
	if r.Report != "" {
		var err error
		if r.report, err = r.equivalenceHere(ctx, &r.choice, r.model, p); err != nil {
			return err
		}
	}
	err := replaceFolder(r.allTargets, func(path string) error {
		r.folder = path
		if err := makeFolder(path); err != nil {
			return err
		}
		return r.fill(ctx, codes, p)
	})
	if err != nil || r.report == nil {
		return err
	}
	return r.reportFlags.write(r.report)
}

func (r *release) fill(ctx context.Context, codes []*compiled, p progress) error {
	if r.Payload != nil {
		var err error
		if r.digest, err = codes[0].payloadFile(ctx, r.path(r.Payload.File), p); err != nil {
			return err
		}
		if err := r.Payload.sum(r.folder); err != nil {
			return err
		}
	}
	for i, c := range codes {
		if err := r.program(ctx, c, &r.Programs[i], p); err != nil {
			return err
		}
	}
	return r.documents(ctx)
}

func (r *release) path(name string) string { return filepath.Join(r.folder, name) }

// program makes one program and fills in its size and hash.
func (r *release) program(ctx context.Context, c *compiled, e *releasedProgram, p progress) error {
	var link *payload.Link
	path := r.path(e.File)
	if e.Payload != "" {
		var err error
		if link, err = c.link(path, r.path(e.Payload), r.digest, r.report); err != nil {
			return err
		}
	}
	err := during(p, e.Target, 0, func(func(int64)) error {
		return c.executable(ctx, r.of(e.Target), path, link)
	})
	if err == nil && link == nil {
		err = c.appendPayload(ctx, path, r.report, p)
	}
	if err != nil {
		return err
	}
	return e.sum(r.folder)
}

// documents writes what goes with the programs.
func (r *release) documents(ctx context.Context) error {
	bom, err := r.sbom(ctx, r.folder)
	if err != nil {
		return err
	}
	list, err := json.MarshalIndent(&r.manifest, "", "  ")
	if err != nil {
		return err
	}
	files := map[string][]byte{r.SBOM: bom, manifestName: append(list, '\n')}
	if r.report != nil {
		files[r.Report] = append(slices.Clone(r.report), '\n')
	}
	for name, text := range files {
		if err := newFile(r.path(name), text); err != nil {
			return err
		}
	}
	return r.sums()
}

// sums writes the list that sha256sum -c reads.
func (r *release) sums() error {
	entries, err := os.ReadDir(r.folder)
	if err != nil {
		return err
	}
	known := map[string]string{} // of the large files, which were read for the manifest
	for _, e := range r.Programs {
		known[e.File] = e.SHA256
	}
	if r.Payload != nil {
		known[r.Payload.File] = r.Payload.SHA256
	}
	var b strings.Builder
	for _, e := range entries {
		f := releasedFile{File: e.Name(), SHA256: known[e.Name()]}
		if f.SHA256 == "" {
			if err := f.sum(r.folder); err != nil {
				return err
			}
		}
		fmt.Fprintf(&b, "%s  %s\n", f.SHA256, f.File)
	}
	return newFile(r.path(sumsName), []byte(b.String()))
}

// sum fills in size and hash.
func (e *releasedFile) sum(folder string) error {
	f, err := os.Open(filepath.Join(folder, e.File))
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	e.Size, err = io.Copy(h, f)
	e.SHA256 = hex.EncodeToString(h.Sum(nil))
	return err
}

func (r *release) print(c *console) error {
	if r.json {
		return c.printJSON(&r.manifest)
	}
	t := &table{}
	for _, e := range r.Programs {
		size, apart := "", ""
		if e.Size > 0 {
			size = ", " + formatBytes(e.Size)
		}
		if e.Payload != "" {
			apart = fmt.Sprintf(", weights in %s: %s", e.Payload, e.Reason)
		}
		t.line(e.File, "%s%s%s", strings.Join(e.Levels, " "), size, apart)
	}
	t.choices(r.Choices)
	what := "wrote"
	if r.dryRun {
		what = "would write"
	}
	t.line(r.allTargets, "%s %d programs of %s, weights %s", what, len(r.Programs), r.Family, r.Weights)
	return t.print(c.out)
}
