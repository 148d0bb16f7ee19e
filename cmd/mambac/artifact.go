package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/mambac/mambac/codegen/gobuild"
	"github.com/mambac/mambac/codegen/pack"
	"github.com/mambac/mambac/runtime/payload"
)

// executable compiles the code of a program to path, without its payload; the
// link leads to that if it is a file of its own.
func (c *compiled) executable(ctx context.Context, o *choice, path string, link *payload.Link) error {
	o.awaitWarm()
	g, err := o.toolchain()
	if err != nil {
		return err
	}
	if link != nil {
		if g.Value, err = link.Encode(); err != nil {
			return err
		}
		g.Variable = payload.LinkVariable
	}
	g.Files, g.Output = c.Files, path
	return gobuild.Build(ctx, g)
}

// code is executable with progress.
func (o *choice) code(ctx context.Context, c *compiled, path string, link *payload.Link, p progress) error {
	return during(p, "go build", 0, func(func(int64)) error { return c.executable(ctx, o, path, link) })
}

// program makes the whole program at path.
func (o *choice) program(ctx context.Context, c *compiled, path string, report []byte, p progress) error {
	if err := o.code(ctx, c, path, nil, p); err != nil {
		return err
	}
	return c.appendPayload(ctx, path, report, p)
}

// appendPayload puts the payload behind the executable at path.
func (c *compiled) appendPayload(ctx context.Context, path string, report []byte, p progress) error {
	w, size, err := extend(ctx, path)
	if err != nil {
		return err
	}
	_, err = c.writePayload(ctx, w, size, c.metadata(report), p)
	return errors.Join(err, w.Close())
}

// payloadFile makes a payload in a file of its own at path. It says nothing
// of the program: a link does, and programs for other processors, of other
// compilers and with other reports can share the file.
func (c *compiled) payloadFile(ctx context.Context, path string, p progress) (digest [32]byte, err error) {
	w, err := create(ctx, path, nil)
	if err != nil {
		return digest, err
	}
	digest, err = c.writePayload(ctx, w, 0, c.sharedMetadata(), p)
	return digest, errors.Join(err, w.Close())
}

// sharedMetadata is what all programs of a checkpoint say of it.
func (c *compiled) sharedMetadata() *payload.Metadata {
	m := c.metadata(nil)
	m.Mambac, m.Levels, m.Tuning = "", nil, ""
	return m
}

// writePayload streams tokenizer, weights and metadata behind base bytes and
// returns their digest.
func (c *compiled) writePayload(ctx context.Context, w io.Writer, base int64, m *payload.Metadata, p progress) (digest [32]byte, err error) {
	out := payload.NewWriter(w, base)
	if c.Tokenizer != nil {
		table, err := c.Tokenizer.Append(nil)
		if err != nil {
			return digest, fmt.Errorf("%s: tokenizer.json: %w", c.checkpoint.Path, err)
		}
		if err := writeSection(out, payload.TokenizerSection, table); err != nil {
			return digest, err
		}
	}
	if err := out.Section(payload.WeightsSection); err != nil {
		return digest, err
	}
	err = during(p, "weights", c.Plan.Bytes, func(set func(int64)) error {
		return pack.Write(ctx, out, c.Plan, set)
	})
	if err != nil {
		return digest, fmt.Errorf("%s: %w", c.checkpoint.Path, err)
	}
	m.Identity = hex.EncodeToString(out.Sum())
	text, err := m.Encode()
	if err != nil {
		return digest, err
	}
	if err := writeSection(out, payload.MetadataSection, text); err != nil {
		return digest, err
	}
	err = out.Close()
	return out.Digest(), err
}

func writeSection(w *payload.Writer, name string, data []byte) error {
	if err := w.Section(name); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

// link is what a program knows of a payload file of its own. Both are named as
// they will be once they are in their place: relative to the program if that
// can be said.
func (c *compiled) link(program, file string, digest [32]byte, report []byte) (*payload.Link, error) {
	path, err := reference(program, file)
	return &payload.Link{
		Path: path, Digest: hex.EncodeToString(digest[:]), Mambac: version, Levels: c.levels, Tuning: c.Tuning, Report: report,
	}, err
}

// reference is the path from a program's folder to a file.
func reference(program, file string) (string, error) {
	from, err := filepath.Abs(program)
	if err != nil {
		return "", err
	}
	to, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	if relative, err := filepath.Rel(filepath.Dir(from), to); err == nil {
		return filepath.ToSlash(relative), nil
	}
	return to, nil
}
