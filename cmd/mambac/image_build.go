package main

import (
	"context"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/mambac/mambac/runtime/payload"
)

// imageUser is nobody in particular: a program needs no rights.
const imageUser = "65532:65532"

// imageBuilder makes an OCI image of one model.
type imageBuilder struct {
	flags  *imageFlags
	model  *model
	codes  []*compiled // one for each target
	report []byte      // nil for none
	made   imaged
}

// layout writes the image to a folder. What it needs on the way lies beside
// the staging path.
func (b *imageBuilder) layout(ctx context.Context, staging, folder string, p progress) error {
	b.made.Name, b.made.Family = b.model.name, b.model.Family
	weights := staging + payload.Ext
	digest, err := b.codes[0].payloadFile(ctx, weights, p)
	if err != nil {
		return err
	}
	shared, err := newLayer(ctx, layerFile{b.model.name + payload.Ext, weights, 0o444})
	if err != nil {
		return err
	}
	b.made.Weights = imagedLayer{shared.digest.String(), shared.size}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for i, c := range b.codes {
		target := b.flags.targets[i]
		image, err := b.image(ctx, staging, target, c, digest, shared, p)
		if err != nil {
			return err
		}
		goos, goarch, _ := strings.Cut(target, "/")
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: goos, Architecture: goarch}},
		})
	}
	return during(p, "layers", 0, func(func(int64)) error { return b.write(folder, index) })
}

// write makes the layout: its index names one image, which is for all
// processors.
func (b *imageBuilder) write(folder string, index v1.ImageIndex) error {
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	b.made.Digest = digest.String()
	if err != nil {
		return err
	}
	err = path.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": "latest",
		"org.opencontainers.image.title":    b.model.name,
	}))
	if err != nil {
		return err
	}
	return readable(folder)
}

// image is that for one processor.
func (b *imageBuilder) image(ctx context.Context, staging, target string, c *compiled, digest [32]byte, weights *layer, p progress) (v1.Image, error) {
	folder := staging + "." + strings.ReplaceAll(target, "/", "-")
	if err := makeFolder(folder); err != nil {
		return nil, err
	}
	name := b.model.name
	path := filepath.Join(folder, name)
	link, err := c.link(path, path+payload.Ext, digest, b.report) // as they will lie in the image
	if err != nil {
		return nil, err
	}
	err = during(p, target, 0, func(func(int64)) error { return c.executable(ctx, b.flags.of(target), path, link) })
	if err != nil {
		return nil, err
	}
	program, err := newLayer(ctx, layerFile{name, path, 0o555})
	if err != nil {
		return nil, err
	}
	documents, err := b.documents(ctx, folder, target, c)
	if err != nil {
		return nil, err
	}
	image, err := b.assemble(target, c, weights, program, documents)
	if err != nil {
		return nil, err
	}
	whole, err := image.Digest()
	b.made.Programs = append(b.made.Programs, imagedProgram{target, c.levels, whole.String(), imagedLayer{program.digest.String(), program.size}})
	return image, err
}

// documents is the layer with the SBOM of a program and the report.
func (b *imageBuilder) documents(ctx context.Context, folder, target string, c *compiled) (*layer, error) {
	name := b.model.name
	e := releasedProgram{releasedFile: releasedFile{File: name}, Target: target, Levels: c.levels}
	if err := e.sum(folder); err != nil {
		return nil, err
	}
	m := &manifest{
		Name: name, Family: c.Family, Weights: c.weights, Math: c.math, Fingerprint: c.Fingerprint, Mambac: version, With: b.flags.features(),
		Programs: []releasedProgram{e},
	}
	bom, err := m.sbom(ctx, folder)
	if err != nil {
		return nil, err
	}
	texts := map[string][]byte{sbomExt: bom}
	files := []layerFile{{name + sbomExt, filepath.Join(folder, name+sbomExt), 0o444}}
	if b.report != nil {
		texts[reportExt] = append(b.report[:len(b.report):len(b.report)], '\n')
		files = append(files, layerFile{name + reportExt, filepath.Join(folder, name+reportExt), 0o444})
	}
	for ext, text := range texts {
		if err := newFile(filepath.Join(folder, name+ext), text); err != nil {
			return nil, err
		}
	}
	return newLayer(ctx, files...)
}

// assemble puts layers on an empty root: first what changes least.
func (b *imageBuilder) assemble(target string, c *compiled, weights, program, documents *layer) (v1.Image, error) {
	goos, goarch, _ := strings.Cut(target, "/")
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	base, err := mutate.ConfigFile(base, &v1.ConfigFile{
		OS: goos, Architecture: goarch, Created: v1.Time{Time: epoch}, RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}},
		Config: v1.Config{
			Entrypoint: []string{"/" + layerFolder + "/" + b.model.name},
			WorkingDir: "/" + layerFolder,
			User:       imageUser,
			Labels: map[string]string{
				"org.opencontainers.image.title": b.model.name,
				"mambac.family":                  c.Family,
				"mambac.fingerprint":             c.Fingerprint,
				"mambac.version":                 version,
			},
		},
	})
	if err != nil {
		return nil, err
	}
	var list []mutate.Addendum
	for _, l := range []struct {
		layer *layer
		what  string
	}{{weights, "weights and tokenizer"}, {program, "program"}, {documents, "documents"}} {
		list = append(list, mutate.Addendum{
			Layer: l.layer, MediaType: types.OCILayer,
			History: v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "mambac image", Comment: l.what},
		})
	}
	return mutate.Append(base, list...)
}
