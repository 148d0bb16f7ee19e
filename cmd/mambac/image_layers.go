package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// epoch is the time of every file, for bytes that are the same tomorrow.
var epoch = time.Unix(0, 0).UTC()

// layerFolder is where an image holds its files: names of models cannot hide
// what a container's host mounts at the root.
const layerFolder = "model"

// layerFile is one file of a layer.
type layerFile struct {
	name string // in layerFolder
	path string // where its bytes are now
	mode int64
}

// layer is files as a tar stream that is made again whenever it is read, so
// that weights are on the disk once less. It is in gzip's form, for some tools
// read no other, and stored: weights do not shrink, and what a compressor makes
// of a program changes with its version.
type layer struct {
	ctx    context.Context
	files  []layerFile
	digest v1.Hash // in gzip's form
	diffID v1.Hash // of the tar stream
	size   int64
}

// newLayer reads the files once for the digests.
func newLayer(ctx context.Context, files ...layerFile) (*layer, error) {
	l := &layer{ctx: ctx, files: files}
	stored, plain := sha256.New(), sha256.New()
	z, err := store(io.MultiWriter(stored, (*counter)(&l.size)))
	if err != nil {
		return nil, err
	}
	err = l.write(io.MultiWriter(plain, z))
	if err := errors.Join(err, z.Close()); err != nil {
		return nil, err
	}
	l.digest = v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(stored.Sum(nil))}
	l.diffID = v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(plain.Sum(nil))}
	return l, nil
}

// counter counts bytes.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func store(w io.Writer) (*gzip.Writer, error) { return gzip.NewWriterLevel(w, gzip.NoCompression) }

// Digest, DiffID, Size, MediaType, Compressed and Uncompressed are v1.Layer.
func (l *layer) Digest() (v1.Hash, error)            { return l.digest, nil }
func (l *layer) DiffID() (v1.Hash, error)            { return l.diffID, nil }
func (l *layer) Size() (int64, error)                { return l.size, nil }
func (l *layer) MediaType() (types.MediaType, error) { return types.OCILayer, nil }

func (l *layer) Compressed() (io.ReadCloser, error) {
	return piped(func(w io.Writer) error {
		z, err := store(w)
		if err != nil {
			return err
		}
		return errors.Join(l.write(z), z.Close())
	}), nil
}

func (l *layer) Uncompressed() (io.ReadCloser, error) { return piped(l.write), nil }

// piped is what write writes, for reading.
func piped(write func(io.Writer) error) io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(write(w)) }()
	return r
}

func (l *layer) write(w io.Writer) error {
	t := tar.NewWriter(w)
	if err := t.WriteHeader(tarHeader(layerFolder+"/", tar.TypeDir, 0o755, 0)); err != nil {
		return err
	}
	for _, f := range l.files {
		if err := addFile(l.ctx, t, layerFolder+"/"+f.name, f.path, f.mode); err != nil {
			return err
		}
	}
	return t.Close()
}

// tarHeader is of a file of root's, from the first day.
func tarHeader(name string, kind byte, mode, size int64) *tar.Header {
	return &tar.Header{Name: name, Typeflag: kind, Mode: mode, Size: size, ModTime: epoch, Format: tar.FormatPAX}
}

func addFile(ctx context.Context, t *tar.Writer, name, path string, mode int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if err := t.WriteHeader(tarHeader(name, tar.TypeReg, mode, st.Size())); err != nil {
		return err
	}
	_, err = io.Copy(t, &mindful{ctx, f})
	return err
}

// mindful is a reader that minds a context.
type mindful struct {
	ctx context.Context
	r   io.Reader
}

func (m *mindful) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	return m.r.Read(p)
}

// archiveFolder makes a tar file of a folder, its entries in order.
func archiveFolder(ctx context.Context, path, folder string) error {
	w, err := create(ctx, path, nil)
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	err = filepath.WalkDir(folder, func(file string, d fs.DirEntry, err error) error {
		name, relative := filepath.Rel(folder, file)
		switch err := errors.Join(err, relative); {
		case err != nil || name == ".":
			return err
		case d.IsDir():
			return t.WriteHeader(tarHeader(filepath.ToSlash(name)+"/", tar.TypeDir, 0o755, 0))
		}
		return addFile(ctx, t, filepath.ToSlash(name), file, 0o644)
	})
	return errors.Join(err, t.Close(), w.Close())
}
