package serve

import (
	"net/http"

	"github.com/mambac/mambac/runtime/serve/page"
)

// policy lets the page load and ask nothing but this server, and run nothing that
// is not one of its files; text cannot become HTML in it, not even by mistake.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// addPage adds the files of the page, which anybody may have: the key is asked for
// in it.
func (s *Server) addPage(routes map[string]route) {
	for path, file := range page.Files() {
		routes[path] = route{http.MethodGet, func(c *call) error { return s.writeFile(c, file) }, true}
	}
}

func (s *Server) writeFile(c *call, file page.File) error {
	header := c.Header()
	header.Set("Content-Type", file.Type)
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	s.hurry(c)
	c.WriteHeader(http.StatusOK)
	_, c.err = c.Write(file.Data)
	return nil
}
