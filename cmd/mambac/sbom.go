package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"

	"github.com/mambac/mambac/codegen/gobuild"
)

// sbom lists as CycloneDX what the programs in a folder consist of: what the go
// command has left in each of them. It has neither a time nor a serial number,
// for equal programs have equal lists.
func (m *manifest) sbom(ctx context.Context, folder string) ([]byte, error) {
	var programs []cyclonedx.Component
	var needs []cyclonedx.Dependency
	libraries := map[string]cyclonedx.Component{}
	for _, e := range m.Programs {
		info, err := buildInfo(ctx, filepath.Join(folder, e.File))
		if err != nil {
			return nil, err
		}
		var uses []string
		for _, l := range modules(info) {
			libraries[l.BOMRef] = l
			uses = append(uses, l.BOMRef)
		}
		c := e.component(cyclonedx.ComponentTypeApplication)
		c.Properties = settings(info)
		programs = append(programs, c)
		needs = append(needs, cyclonedx.Dependency{Ref: c.BOMRef, Dependencies: &uses})
	}
	if m.Payload != nil {
		programs = append(programs, m.Payload.component(cyclonedx.ComponentTypeData))
	}
	for _, ref := range slices.Sorted(maps.Keys(libraries)) {
		programs = append(programs, libraries[ref])
	}
	bom := cyclonedx.NewBOM()
	bom.Metadata, bom.Components, bom.Dependencies = m.subject(), &programs, &needs
	var text bytes.Buffer
	encoder := cyclonedx.NewBOMEncoder(&text, cyclonedx.BOMFileFormatJSON).SetPretty(true)
	err := encoder.EncodeVersion(bom, cyclonedx.SpecVersion1_5) // which more tools read than the newest
	return text.Bytes(), err
}

// subject is the model, and mambac as the tool.
func (m *manifest) subject() *cyclonedx.Metadata {
	properties := []cyclonedx.Property{
		{Name: "mambac:family", Value: m.Family},
		{Name: "mambac:fingerprint", Value: m.Fingerprint},
		{Name: "mambac:weights", Value: m.Weights},
		{Name: "mambac:math", Value: m.Math},
	}
	for _, name := range m.With {
		properties = append(properties, cyclonedx.Property{Name: "mambac:with", Value: name})
	}
	return &cyclonedx.Metadata{
		Tools: &cyclonedx.ToolsChoice{Components: &[]cyclonedx.Component{
			{Type: cyclonedx.ComponentTypeApplication, Name: "mambac", Version: m.Mambac},
		}},
		Component: &cyclonedx.Component{
			BOMRef: "model:" + m.Name, Type: cyclonedx.ComponentTypeMachineLearningModel, Name: m.Name,
			Properties: &properties,
		},
	}
}

func (e *releasedFile) component(kind cyclonedx.ComponentType) cyclonedx.Component {
	return cyclonedx.Component{
		BOMRef: "file:" + e.File, Type: kind, Name: e.File,
		Hashes: &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: e.SHA256}},
	}
}

// modules lists the standard library and the modules of a program.
func modules(info *debug.BuildInfo) []cyclonedx.Component {
	version := strings.TrimPrefix(info.GoVersion, "go")
	list := []cyclonedx.Component{library("stdlib", version)}
	for _, d := range info.Deps {
		list = append(list, library(d.Path, d.Version))
	}
	return list
}

func library(path, version string) cyclonedx.Component {
	url := "pkg:golang/" + path
	if version != "" {
		url += "@" + version
	}
	return cyclonedx.Component{BOMRef: url, Type: cyclonedx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: url}
}

// settings is how a program was compiled.
func settings(info *debug.BuildInfo) *[]cyclonedx.Property {
	var list []cyclonedx.Property
	for _, s := range info.Settings {
		list = append(list, cyclonedx.Property{Name: "go:" + s.Key, Value: s.Value})
	}
	return &list
}

// buildInfo reads what the go command has left in a program. debug/buildinfo
// knows no wasm: there the text is looked for, between the marks that the go
// command sets; it is that of the go command that is installed.
func buildInfo(ctx context.Context, path string) (*debug.BuildInfo, error) {
	if !strings.HasSuffix(path, ".wasm") {
		return buildinfo.ReadFile(path)
	}
	const begin, end = "\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6", "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2"
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	_, data, _ = bytes.Cut(data, []byte(begin))
	text, _, ok := bytes.Cut(data, []byte(end))
	if !ok {
		return nil, fmt.Errorf("%s: BUG: holds no build info", path)
	}
	info, err := debug.ParseBuildInfo(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: BUG: build info: %w", path, err)
	}
	info.GoVersion, err = gobuild.Version(ctx)
	return info, err
}
