package model

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mambac/mambac/runtime/payload"
)

// PayloadsEnv names the environment variable that lists where payloads lie:
// folders and files, separated as in PATH.
const PayloadsEnv = "MAMBAC_PAYLOADS"

// CacheFolder is where payloads lie that nobody has put elsewhere, or an error
// where the user has no cache.
func CacheFolder() (string, error) {
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "mambac", "payloads"), err
}

// find looks for the package's payload in the places that the environment
// lists, then in the user's cache.
func (p *Package) find() (*payload.Payload, error) {
	places := filepath.SplitList(os.Getenv(PayloadsEnv))
	if cache, err := CacheFolder(); err == nil {
		places = append(places, cache)
	}
	var trouble []string
	for _, place := range places {
		file, err := p.openPlace(place)
		switch {
		case err == nil && file != nil:
			return file, nil
		case err != nil && !errors.Is(err, ErrNoPayload):
			trouble = append(trouble, err.Error())
		}
	}
	err := p.missing(places...)
	if trouble != nil {
		err = fmt.Errorf("%w; %s", err, strings.Join(trouble, "; "))
	}
	return nil, err
}

// openPlace is openPath for a place that may hold the payload of another
// package, which is no error.
func (p *Package) openPlace(path string) (*payload.Payload, error) {
	if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
		digest, err := payload.ReadDigest(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if hex.EncodeToString(digest[:]) != p.Digest {
			return nil, nil
		}
	}
	return p.openPath(path)
}

// openPath opens the payload at a path: a file that must hold it, or a folder
// with one that does.
func (p *Package) openPath(path string) (*payload.Payload, error) {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, p.missing(path)
	case err != nil:
		return nil, err
	case !st.IsDir():
		return p.verified(payload.Open(path))
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		file := filepath.Join(path, e.Name())
		if !e.IsDir() && strings.HasSuffix(file, payload.Ext) && p.holds(file) {
			return payload.Open(file)
		}
	}
	return nil, p.missing(path)
}

// holds reports whether a file is the package's payload.
func (p *Package) holds(path string) bool {
	digest, err := payload.ReadDigest(path)
	return err == nil && hex.EncodeToString(digest[:]) == p.Digest
}

// verified passes an opened payload on if it is the package's.
func (p *Package) verified(file *payload.Payload, err error) (*payload.Payload, error) {
	if err != nil || p.Digest == "" {
		return file, err
	}
	if digest := file.Digest(); hex.EncodeToString(digest[:]) != p.Digest {
		file.Close()
		return nil, fmt.Errorf("%s: payload has hash %x, package %s was generated with %.16s; %s", file.Path(), digest[:8], p.Name, p.Digest, p.remedy())
	}
	return file, nil
}

func (p *Package) missing(places ...string) error {
	return fmt.Errorf("%w: package %s wants the one with hash %.16s, looked in %s; %s, or name it by PayloadFile or $%s",
		ErrNoPayload, p.Name, p.Digest, strings.Join(places, ", "), p.remedy(), PayloadsEnv)
}

func (p *Package) remedy() string { return "make it again with " + p.Command }
