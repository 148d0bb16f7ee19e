package disktest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestRun: the disk is as large as was asked for, and there is room again when what
// fills it has gone.
func TestRun(t *testing.T) {
	page := os.Getpagesize()
	Run(t, 16*page, func(t *testing.T, d *Disk) {
		path := filepath.Join(d.Folder, "file")
		write := func(pages int) error { return os.WriteFile(path, bytes.Repeat([]byte{1}, pages*page), 0o600) }
		d.Fill(2 * page)
		if err := write(2); err != nil {
			t.Error(err)
		}
		if err := write(3); !Full(err) {
			t.Errorf("error %v", err)
		}
		d.Empty()
		if err := write(16); err != nil {
			t.Error(err)
		}
		d.RequireFiles("file")
	})
}
