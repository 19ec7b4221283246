package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// parseTarget returns the query of a request, and the target and the session that it names.
// The session is "" if the request names a target only.
func parseTarget(r *http.Request) (query url.Values, target, session string, err error) {
	if query, err = parseQuery(r); err != nil {
		return nil, "", "", err
	}
	if target, err = single(query, "target"); err != nil {
		return nil, "", "", err
	}
	if session, err = single(query, "session"); err != nil {
		return nil, "", "", err
	}
	if target == "" {
		return nil, "", "", errors.New("parameter target is missing: name a configured target, as in /probe?target=studio")
	}
	return query, target, session, nil
}

// parseSession returns the target and the session that a request names.
func parseSession(r *http.Request) (target, session string, err error) {
	_, target, session, err = parseTarget(r)
	if err == nil && session == "" {
		err = errors.New("parameter session is missing: name a configured session, as in /session?target=studio&session=playout")
	}
	return target, session, err
}

// parseQuery returns the parameters of a request. [url.URL.Query] leaves out what it cannot
// parse. Without its session, a request would probe the whole target.
func parseQuery(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("the parameters are malformed: %w", err)
	}
	return query, nil
}

// single returns the value of a parameter that may be given once, or "" if it is not given.
func single(query url.Values, name string) (string, error) {
	switch values := query[name]; {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", fmt.Errorf("parameter %s is given %d times: give it once", name, len(values))
	case values[0] == "":
		return "", fmt.Errorf("parameter %s is empty: name a configured %[1]s", name)
	default:
		return values[0], nil
	}
}

// writeUnknown answers a request for a target or session that is not configured.
func writeUnknown(w http.ResponseWriter, err error) {
	http.Error(w, err.Error()+": only what is configured can be probed; /config shows it", http.StatusNotFound)
}
