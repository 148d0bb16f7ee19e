// Package runtime embeds the source of the packages below it, and of the
// little that they import, so that mambac can build programs without a module
// cache. Built programs import only what lies below, never this package.
package runtime

import (
	"archive/zip"
	"bytes"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Module is the path of the module that the runtime belongs to, and
// ModuleVersion what a built program requires of it.
const (
	Module        = "github.com/mambac/mambac"
	ModuleVersion = "v0.0.0"
)

//go:embed */*.go */*.s */*/*.go
//go:embed heat/*.css serve/page/*.html serve/page/*.css serve/page/*.js serve/page/*.svg
var source embed.FS

// dependencies holds the packages of others that the runtime imports,
// with their licences, and their part of vendor/modules.txt. It is made by
// go test ./runtime -run Dependencies -update.
//
//go:embed dependencies.zip
var dependencies []byte

// modulesFile is the name of vendor/modules.txt in the archive and the result.
const modulesFile = "modules.txt"

// Vendor returns the files of a vendor folder, by path, with which a module
// that requires Module and the modules of Requirements can import the runtime.
func Vendor() (map[string][]byte, error) {
	files, err := unzip(dependencies)
	if err != nil {
		return nil, fmt.Errorf("BUG: embedded dependencies: %w", err)
	}
	packages, err := runtimeFiles(files)
	if err != nil {
		return nil, err
	}
	own := fmt.Sprintf("# %s %s\n## explicit; go 1.26\n%s\n", Module, ModuleVersion, strings.Join(packages, "\n"))
	files[modulesFile] = append([]byte(own), files[modulesFile]...)
	return files, nil
}

// runtimeFiles adds the runtime's own files and returns its packages, sorted.
func runtimeFiles(files map[string][]byte) ([]string, error) {
	var packages []string
	err := fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		data, err := source.ReadFile(name)
		full := path.Join(Module, "runtime", name)
		files[full] = data
		packages = append(packages, path.Dir(full))
		return err
	})
	slices.Sort(packages)
	return slices.Compact(packages), err
}

// Requirements lists the modules of the dependencies as "path version".
func Requirements() ([]string, error) {
	files, err := unzip(dependencies)
	if err != nil {
		return nil, fmt.Errorf("BUG: embedded dependencies: %w", err)
	}
	var list []string
	for line := range strings.Lines(string(files[modulesFile])) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "# "); ok {
			list = append(list, name)
		}
	}
	return list, nil
}

func unzip(data []byte) (map[string][]byte, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, f := range r.File {
		rc, err := f.Open()
		if err != nil {
			return nil, err
		}
		if files[f.Name], err = io.ReadAll(rc); err != nil {
			return nil, err
		}
	}
	return files, nil
}
