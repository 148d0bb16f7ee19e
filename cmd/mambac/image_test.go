package main

import (
	"archive/tar"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/mambac/mambac/runtime/payload"
)

// makeImage makes an image of the example for two processors.
func makeImage(t *testing.T, out string, flags ...string) {
	t.Helper()
	compiler(t, append([]string{"image", example, "-q", "-o", out}, flags...)...)
}

// openImage is the index for all processors in a layout folder.
func openImage(t *testing.T, folder string) v1.ImageIndex {
	t.Helper()
	top, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	list, err := top.IndexManifest()
	if err != nil || len(list.Manifests) != 1 {
		t.Fatalf("the layout names %+v, %v, want one index", list, err)
	}
	index, err := top.ImageIndex(list.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// images are those of an index by their platforms.
func images(t *testing.T, index v1.ImageIndex) map[string]v1.Image {
	t.Helper()
	list, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]v1.Image{}
	for _, d := range list.Manifests {
		if found[d.Platform.String()], err = index.Image(d.Digest); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// TestImage: the image is valid, its processors share the weights, and its
// root file system runs.
func TestImage(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "image")
	report := filepath.Join(t.TempDir(), "r.json")
	makeImage(t, folder, "--report", report)
	index := openImage(t, folder)
	if err := validate.Index(index); err != nil {
		t.Fatal(err)
	}
	found := images(t, index)
	if len(found) != 2 {
		t.Fatalf("images for %v", found)
	}
	weights := map[string]bool{}
	for target, image := range found {
		m, err := image.Manifest()
		if err != nil || len(m.Layers) != 3 {
			t.Fatalf("%s: %+v, %v, want three layers", target, m, err)
		}
		weights[m.Layers[0].Digest.String()] = true
		config, err := image.ConfigFile()
		if err != nil || config.OS+"/"+config.Architecture != target || !slices.Equal(config.Config.Entrypoint, []string{"/model/mamba-safetensors"}) {
			t.Errorf("%s: config %+v, %v", target, config, err)
		}
		root := unpack(t, mutate.Extract(image))
		checkRoot(t, root, report)
		if target == platform() {
			runRoot(t, root, config.Config.Entrypoint[0])
		}
	}
	if len(weights) != 1 {
		t.Errorf("%d layers of weights, want one for all processors", len(weights))
	}
}

// unpack extracts a tar stream to a folder.
func unpack(t *testing.T, stream io.ReadCloser) string {
	t.Helper()
	defer stream.Close()
	folder := t.TempDir()
	for r := tar.NewReader(stream); ; {
		h, err := r.Next()
		if err == io.EOF {
			return folder
		}
		if err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.Equal(epoch) || h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s: time %v, owner %d:%d", h.Name, h.ModTime, h.Uid, h.Gid)
		}
		path := filepath.Join(folder, h.Name)
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o755)
		} else {
			data, failed := io.ReadAll(r)
			if err = failed; err == nil {
				err = os.WriteFile(path, data, fs.FileMode(h.Mode))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// checkRoot demands the files of an image and no others.
func checkRoot(t *testing.T, root, report string) {
	t.Helper()
	var names []string
	entries, err := os.ReadDir(filepath.Join(root, layerFolder))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	name := filepath.Base(example)
	if want := []string{name, name + sbomExt, name + payload.Ext, name + reportExt}; !slices.Equal(names, want) {
		t.Errorf("the image holds %v, want %v", names, want)
	}
	readSBOM(t, filepath.Join(root, layerFolder, name+sbomExt))
	if string(read(t, filepath.Join(root, layerFolder, name+reportExt))) != string(read(t, report)) {
		t.Error("the report in the image is another")
	}
}

// readSBOM demands the modules of a built program in an SBOM.
func readSBOM(t *testing.T, path string) *cyclonedx.BOM {
	t.Helper()
	bom := new(cyclonedx.BOM)
	if err := json.Unmarshal(read(t, path), bom); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, c := range *bom.Components {
		seen[c.Name] = c.Version
	}
	for _, name := range []string{"stdlib", module, "golang.org/x/text"} {
		if seen[name] == "" {
			t.Errorf("%s: lists %v, want a version of %s", path, seen, name)
		}
	}
	return bom
}

// TestImageSameBytes: two runs make the same archive, which holds the layout;
// other levels change neither weights nor their layer.
func TestImageSameBytes(t *testing.T) {
	folder := t.TempDir()
	path := func(name string) string { return filepath.Join(folder, name) }
	makeImage(t, path("a.tar"))
	makeImage(t, path("b.tar"))
	makeImage(t, path("layout"), "--target", platform(), "--cpu", "generic")
	a := read(t, path("a.tar"))
	if string(a) != string(read(t, path("b.tar"))) {
		t.Error("two archives of one checkpoint differ")
	}
	f, err := os.Open(path("a.tar"))
	if err != nil {
		t.Fatal(err)
	}
	unpacked := unpack(t, f)
	index := openImage(t, unpacked)
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	if weightsLayer(t, index) != weightsLayer(t, openImage(t, path("layout"))) {
		t.Error("a program with other levels has other weights")
	}
}

// weightsLayer is the digest of the first layer of this processor's image.
func weightsLayer(t *testing.T, index v1.ImageIndex) string {
	t.Helper()
	image, ok := images(t, index)[platform()]
	if !ok {
		t.Skipf("no image for %s", platform())
	}
	m, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	return m.Layers[0].Digest.String()
}
