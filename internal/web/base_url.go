package web

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// A BaseURL is the part of URLs in front of all paths of the exporter.
type BaseURL struct {
	Prefix string // of all paths: "" or a path such as /hmp
	origin string // of the pages in browsers; "" if it is not known
}

// NewBaseURL returns the base URL for --web.external-url and --web.route-prefix. As in
// Prometheus, the path of the external URL is the default of the prefix.
func NewBaseURL(externalURL, routePrefix string) (base BaseURL, err error) {
	prefix := routePrefix
	if externalURL != "" {
		u, err := url.Parse(externalURL)
		switch {
		case err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "",
			u.Host == "" && (u.Scheme != "" || !strings.HasPrefix(u.Path, "/")),
			u.Host != "" && u.Scheme != "http" && u.Scheme != "https":
			return BaseURL{}, errors.New("--web.external-url has to be a URL such as https://proxy.example/hmp, without user, query and fragment")
		case u.Host != "":
			base.origin = origin(u)
		}
		if routePrefix == "" {
			prefix = u.Path
		}
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		base.Prefix = "/" + prefix
		if !isPath(base.Prefix) {
			return BaseURL{}, fmt.Errorf("the prefix %q of --web.route-prefix or --web.external-url is not a path: give one such as /hmp", base.Prefix)
		}
	}
	return base, nil
}

// origin returns the origin of a URL as browsers send it: in lower case, without a default port.
func origin(u *url.URL) string {
	defaultPort := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	return u.Scheme + "://" + strings.TrimSuffix(strings.ToLower(u.Host), defaultPort)
}

// isPath reports whether p is an absolute path that needs no cleaning and no escaping.
func isPath(p string) bool {
	return path.IsAbs(p) && path.Clean(p) == p && (&url.URL{Path: p}).EscapedPath() == p
}
