package hmp

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	maxRedactedHeader = 1 << 10 // bytes of a [RedactedHeader]
	maxShownValue     = 128     // bytes of a value that is shown
)

// A RedactedHeader has the names of a request's or response's header fields, and the values
// that cannot be secret. It is one string to save memory.
type RedactedHeader string

// A HeaderField is one field of a [RedactedHeader]. Name and Value are valid UTF-8 of bounded
// length, without control characters.
type HeaderField struct {
	Name, Value string
	Hidden      bool // the value is not shown
}

// Fields returns the fields, sorted by name.
func (h RedactedHeader) Fields() []HeaderField {
	var fields []HeaderField
	for line := range strings.Lines(string(h)) {
		name, value, shown := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		fields = append(fields, HeaderField{name, value, !shown})
	}
	return fields
}

// responseFields are the fields of a response that are shown by name, sorted. Other fields
// are only counted, because a name can repeat a secret too.
var responseFields = []string{
	"Age", "Allow", "Cache-Control", "Connection", "Content-Encoding", "Content-Length", "Content-Security-Policy", "Content-Type",
	"Date", "Etag", "Expires", "Keep-Alive", "Last-Modified", "Location", "Pragma", "Proxy-Authenticate", "Retry-After", "Server",
	"Set-Cookie", "Strict-Transport-Security", "Transfer-Encoding", "Vary", "Via", "Www-Authenticate", "X-Cache",
	"X-Content-Type-Options", "X-Frame-Options", "X-Powered-By", "X-Request-Id", "X-Xss-Protection",
}

// harmlessWords are the words that a shown value may consist of, in lower case.
var harmlessWords = strings.Fields(`
	application/json application/problem+json application/xml text/html text/plain text/xml charset=utf-8 charset="utf-8" charset=iso-8859-1
	close keep-alive upgrade chunked identity gzip x-gzip deflate compress br zstd
	public private no-cache no-store no-transform must-revalidate proxy-revalidate max-age=0
	* accept accept-encoding accept-language authorization cookie origin get head post put patch delete options`)

// redactResponse returns the header of a response. It shows values whose form cannot hold a
// secret, and masks the names of servers.
func redactResponse(h http.Header, m *mask) RedactedHeader {
	listed := make([]string, 0, 8)
	for name, values := range h { // a response has fewer fields than the list
		if _, found := slices.BinarySearch(responseFields, name); found && len(values) > 0 {
			listed = append(listed, name)
		}
	}
	slices.Sort(listed)
	b := make([]byte, 0, 128)
	for _, name := range listed {
		value, shown := responseValue(name, h[name][0], m)
		b = appendField(b, name, value, shown)
	}
	if others := len(h) - len(listed); others > 0 {
		b = appendField(b, fmt.Sprintf("%d more", others), "", false)
	}
	return RedactedHeader(b)
}

// responseValue returns the value of a field, and whether to show it.
func responseValue(name, value string, m *mask) (string, bool) {
	if len(value) > maxShownValue && name != "Location" {
		return "", false
	}
	switch name {
	case "Age", "Content-Length", "Date", "Retry-After":
		return value, isNumber(value) && !slices.Contains(m.secrets, value) || isDate(value)
	case "Allow", "Cache-Control", "Connection", "Content-Encoding", "Content-Type", "Transfer-Encoding", "Vary":
		return value, isHarmless(value)
	case "Location":
		return m.apply(redirectServer(value), true), true
	case "Server", "Via":
		return m.apply(value, true), true
	default:
		return "", false
	}
}

// isNumber reports whether a value is a number that is too short for a secret.
func isNumber(value string) bool {
	return len(value) < minMatch && strings.Trim(value, "0123456789") == ""
}

// isDate reports whether a value is a date in the preferred HTTP format.
func isDate(value string) bool {
	_, err := time.Parse(http.TimeFormat, value)
	return err == nil && len(value) == len(http.TimeFormat)
}

// isHarmless reports whether a value consists of harmlessWords.
func isHarmless(value string) bool {
	for word := range strings.FieldsFuncSeq(value, func(c rune) bool { return c == ',' || c == ';' || c == ' ' }) {
		if !slices.Contains(harmlessWords, strings.ToLower(word)) {
			return false
		}
	}
	return true
}

// redactRequest returns the header of a request. It shows the values that the exporter sets,
// except Authorization. It never shows configured values.
func redactRequest(method string, h http.Header) RedactedHeader {
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(h)) {
		shown := name == "Accept" || name == "Accept-Encoding" || name == "User-Agent" || name == "Content-Type" && method == http.MethodPost
		b = appendField(b, name, strings.Join(h[name], ""), shown)
	}
	return RedactedHeader(b)
}

// appendField appends a field, if there is room for it.
func appendField(b []byte, name, value string, shown bool) []byte {
	if !shown {
		value = ""
	}
	if len(b)+len(name)+len(value)+len(": \n") > maxRedactedHeader {
		return b
	}
	b = append(b, name...)
	if shown {
		b = append(append(b, ": "...), value...)
	}
	return append(b, '\n')
}

// redirectServer returns the server in a Location, without the user, path and query, which
// may hold secrets.
func redirectServer(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return "<malformed>"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host}
	if (u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.Fragment == "" && u.Opaque == "" {
		return shown.String()
	}
	return shown.String() + "/…"
}
