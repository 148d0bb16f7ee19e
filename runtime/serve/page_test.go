package serve

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/mambac/mambac/runtime/serve/page"
)

// TestPage: the page needs no key, and may do little.
func TestPage(t *testing.T) {
	s := newServer(t, func(o *Options) { o.Keys = []string{"secret"} })
	for path, file := range page.Files() {
		w := ask(s, "GET", path, "")
		if w.Code != http.StatusOK || w.Body.String() != string(file.Data) || len(file.Data) == 0 {
			t.Errorf("%s: %d, %d bytes", path, w.Code, w.Body.Len())
		}
		for name, want := range map[string]string{"Content-Type": file.Type, "Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"} {
			if got := w.Header().Get(name); got != want || want == "" {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	for request, want := range map[string]int{"HEAD /": 200, "POST /": 405, "GET /index.html": 401, "GET /page.go": 401, "GET /v1/models": 401} {
		method, path, _ := strings.Cut(request, " ")
		if w := ask(s, method, path, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", request, w.Code, want)
		}
	}
	if w := ask(s, "GET", "/", "", "Host", "evil.example"); w.Code != http.StatusForbidden {
		t.Errorf("by another name: %d", w.Code)
	}
}

// loads is what a file of the page names to be loaded.
var loads = regexp.MustCompile(`(?:src|href|from|url)[=( ]+["']([^"'#]+)["']`)

// forbidden is what the policy would refuse, and ways for text to become HTML.
var forbidden = regexp.MustCompile(`(?i)<style|\sstyle=|\son\w+=|javascript:|https?:|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function`)

// TestPageIsWhole: what the files load is there, and nothing in them needs more
// than the policy gives.
func TestPageIsWhole(t *testing.T) {
	files := page.Files()
	for path, file := range files {
		text := strings.ReplaceAll(string(file.Data), `xmlns="http://www.w3.org/2000/svg"`, "")
		if bad := forbidden.FindString(text); bad != "" {
			t.Errorf("%s has %q", path, bad)
		}
		for _, m := range loads.FindAllStringSubmatch(text, -1) {
			if _, ok := files["/"+strings.TrimLeft(m[1], "./")]; !ok {
				t.Errorf("%s loads %s, which there is not", path, m[1])
			}
		}
		for _, tag := range regexp.MustCompile(`<script[^>]*>[^<]*`).FindAllString(text, -1) {
			if !strings.Contains(tag, "src=") || !strings.HasSuffix(tag, ">") {
				t.Errorf("%s: %s", path, tag)
			}
		}
	}
}
