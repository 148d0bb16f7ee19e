package serve

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/disktest"
	"github.com/mambac/mambac/runtime/enginetest"
	"github.com/mambac/mambac/runtime/library"
)

// TestDiskFull: on a full disk no state is made or changed, which requests are told of,
// and all else goes on.
func TestDiskFull(t *testing.T) {
	disktest.Run(t, 1<<20, func(t *testing.T, d *disktest.Disk) {
		k := newKeeper(t, enginetest.Remembering(vocab, false), 1<<20, func(o *Options) {
			var err error
			if o.Library, err = library.Open(filepath.Join(d.Folder, "states")); err != nil {
				t.Fatal(err)
			}
		})
		k.object(t, 200, "POST", statesPath, `{"name":"a","prompt":"abc"}`)
		old, err := os.ReadFile(k.Library.Path("a"))
		if err != nil {
			t.Fatal(err)
		}
		d.Fill(0)
		for _, c := range [][2]string{
			{statesPath, `{"name":"b","prompt":"abc"}`}, {statesPath + "/a/fork", `{"name":"b"}`},
			{completionsPath, `{"prompt":"d","save_state":"b"}`}, {completionsPath, `{"prompt":"d","state":"a","save_state":"a"}`},
		} {
			e := k.object(t, http.StatusInsufficientStorage, "POST", c[0], c[1])["error"].(map[string]any)
			if message := e["message"].(string); e["code"] != "library_full" || !strings.Contains(message, "disk") || strings.Contains(message, d.Folder) {
				t.Errorf("%s: %v", c[1], e)
			}
		}
		if text, err := os.ReadFile(k.Library.Path("a")); err != nil || string(text) != string(old) {
			t.Errorf("the old state has changed, %v", err)
		}
		d.RequireFiles("states/a.state")
		if r := complete(t, k.Server, completionsPath, `{"state":"a","prompt":"d","temperature":0,"max_tokens":2}`); r.Choices[0].Text != "ef" {
			t.Errorf("the server writes %+v", r.Choices)
		}
		d.Empty()
		k.object(t, 200, "POST", completionsPath, `{"prompt":"d","state":"a","save_state":"a"}`)
		k.object(t, 200, "POST", statesPath+"/a/fork", `{"name":"b"}`)
		d.RequireFiles("states/a.state", "states/b.state")
	})
}
