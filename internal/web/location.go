package web

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// A Location is where browsers and Prometheus find the pages.
type Location struct {
	// Prefix is in front of all paths that the exporter answers: "" or a path such as /hmp.
	Prefix string
	// origin is that of the pages as browsers have it, "" if it is not known.
	origin string
}

// NewLocation returns the location that --web.external-url and --web.route-prefix ask for.
// As in Prometheus, the prefix is the path of the external URL unless it is given.
func NewLocation(externalURL, routePrefix string) (l Location, err error) {
	prefix := routePrefix
	if externalURL != "" {
		u, err := url.Parse(externalURL)
		switch {
		case err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "",
			u.Host == "" && (u.Scheme != "" || !strings.HasPrefix(u.Path, "/")),
			u.Host != "" && u.Scheme != "http" && u.Scheme != "https":
			return Location{}, errors.New("--web.external-url has to be a URL such as https://proxy.example/hmp, without user, query and fragment")
		case u.Host != "":
			l.origin = u.Scheme + "://" + u.Host
		}
		if routePrefix == "" {
			prefix = u.Path
		}
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		l.Prefix = "/" + prefix
		if path.Clean(l.Prefix) != l.Prefix || (&url.URL{Path: l.Prefix}).EscapedPath() != l.Prefix {
			return Location{}, fmt.Errorf("the prefix %q of --web.route-prefix or --web.external-url is not a path: give one such as /hmp", l.Prefix)
		}
	}
	return l, nil
}
