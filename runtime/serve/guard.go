package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// checkOrigin refuses what a page of somebody else, open in a browser on this
// machine, could ask for: that names the page as the origin, or reaches the server
// by a name that was made to lead here. Pages that may ask are told so.
func (s *Server) checkOrigin(c *call) error {
	if !s.known(c.Host) {
		return failf(http.StatusForbidden, "host_not_allowed", "host %.200q: the server is not called that; --allow-host adds a name", c.Host)
	}
	origin := c.Request.Header.Get("Origin")
	switch {
	case origin == "" || sameHost(origin, c.Host):
		return nil
	case !slices.Contains(s.Origins, origin):
		return failf(http.StatusForbidden, "origin_not_allowed", "origin %.200q: pages from there may not ask; --allow-origin adds one", origin)
	}
	header := c.Header()
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Vary", "Origin")
	header.Set("Access-Control-Expose-Headers", "Retry-After, X-Should-Retry")
	if c.Method == http.MethodOptions {
		// Whoever may ask may say what it likes beside, as clients' libraries do.
		header.Set("Access-Control-Allow-Headers", c.Request.Header.Get("Access-Control-Request-Headers"))
		header.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
		header.Set("Access-Control-Max-Age", "600")
	}
	return nil
}

// known tells whether a Host header may be meant for this server: no name leads to
// an address but the one that says it.
func (s *Server) known(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	name = strings.ToLower(name)
	return name == "localhost" || slices.Contains(s.Hosts, name)
}

// sameHost tells whether a page comes from the server itself.
func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, host)
}

// checkKey demands one of the keys, in a time that does not tell which part of it
// is wrong.
func (s *Server) checkKey(r *http.Request) error {
	if len(s.keys) == 0 {
		return nil
	}
	given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	sum, found := sha256.Sum256([]byte(given)), 0
	for _, k := range s.keys {
		found |= subtle.ConstantTimeCompare(sum[:], k[:])
	}
	if !bearer || found == 0 {
		return failf(http.StatusUnauthorized, "invalid_api_key", "the API key is missing or wrong; send it as Authorization: Bearer KEY")
	}
	return nil
}
