package config

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// endpointPath begins the path of the HMP API; what is configured is the URL in front of it.
const endpointPath = "/apis/authentication"

// parseBaseURL reads the base URL of a target. It returns nil with a problem and
// a hint, neither of which quotes the URL: there may be a password in it.
//
// The syntax of the host is left to the resolver, because there are names in use
// that no standard allows.
func parseBaseURL(text string) (u *url.URL, problem, hint string) {
	scheme, rest, ok := strings.Cut(text, "://")
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	switch {
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return nil, "has white space or control characters", "remove them"
	case variableName.MatchString(text):
		return nil, ErrVariable.Error(), "write the URL, or set HMP_URL and no configuration file"
	case !ok:
		return nil, "has no scheme", "did you forget https://?"
	case !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https"):
		return nil, "the scheme is neither https nor http", "write https://host"
	case strings.Contains(authority, "@"):
		return nil, "has a user or password in it", "remove them; what HMP wants is the token, or the API key and secret, of a session"
	case strings.Count(authority, ":") > 1 && !strings.HasPrefix(authority, "["):
		return nil, "more than one colon in the host", "put brackets around an IPv6 address: https://[2001:db8::1]"
	}

	// The path is trimmed in its escaped form, which %2F in it keeps apart from the other.
	u, err := url.Parse(scheme + "://" + strings.TrimRight(rest, "/"))
	switch {
	case err != nil:
		return nil, "is not a URL", "write https://host, with a port and a path prefix if need be"
	case u.Hostname() == "":
		return nil, "has no host", "write https://host"
	case !validPort(u):
		return nil, "has a port that is not one", "a port is a number from 1 to 65535"
	case strings.ContainsAny(text, "?#"):
		return nil, "has a query or a fragment", "leave out everything from the ? or # on"
	case strings.Contains(u.Path, endpointPath):
		return nil, "has the path of the API in it", "leave out /apis/authentication/login/key; the exporter adds it"
	}
	return u, "", ""
}

// validPort reports whether the port is one, or left out.
func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}
