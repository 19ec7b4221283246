package hmp

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	// MaxHeaderFields is how many fields a [Header] has at most.
	MaxHeaderFields = 32
	// maxHeader bounds a [Header], in bytes.
	maxHeader = 1 << 10
	// maxFieldName and maxFieldValue bound a name and a value that is shown, in bytes.
	maxFieldName, maxFieldValue = 64, 128
)

// A Header is that of a request or a response: all its names, and the values that are
// harmless. It is one string, so that it costs little to keep for each session.
type Header string

// A HeaderField is one field of a [Header]. Name and Value are valid UTF-8 of bounded
// length, without control characters.
type HeaderField struct {
	Name, Value string
	Hidden      bool // there is a value that is not shown
}

// Fields returns the fields, sorted by name.
func (h Header) Fields() []HeaderField {
	var fields []HeaderField
	for line := range strings.Lines(string(h)) {
		name, value, shown := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		fields = append(fields, HeaderField{name, value, !shown})
	}
	return fields
}

// shownFields are the fields of a response whose values tell which server answered, and
// nothing of a session. Set-Cookie has a secret; an unknown field may have one.
var shownFields = []string{
	"Age", "Allow", "Cache-Control", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Date",
	"Location", "Retry-After", "Server", "Transfer-Encoding", "Vary", "Via",
}

// usualValues need no mask.
var usualValues = []string{"application/json", "application/json; charset=utf-8", "text/html", "keep-alive", "close"}

// receivedHeader tells of the header of a response, in which secrets may be repeated.
func receivedHeader(h http.Header, m *mask) Header {
	return header(h, m, func(name, value string) (string, bool) {
		if name == "Location" {
			value = place(value)
		}
		if !slices.Contains(shownFields, name) || !plain(value) {
			return "", false
		}
		return value, true
	})
}

// sentHeader tells of the header of a request. It shows the values that this program
// sets, except that of Authorization. It never shows those that are configured.
func sentHeader(method string, h http.Header) Header {
	return header(h, newMask(), func(name, value string) (string, bool) { return value, ownValue(method, name) })
}

// ownValue tells whether the value of a field of a request is this program's, and not
// one of a credential or of the configuration.
func ownValue(method, name string) bool {
	return name == "Accept" || name == "Accept-Encoding" || name == "User-Agent" || name == "Content-Type" && method == http.MethodPost
}

// plain tells whether a value is short and of the characters that header fields use.
func plain(value string) bool {
	odd := func(c rune) bool {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		return !letter && !strings.ContainsRune(" -._~+*/:;,=()[]<>\"…", c)
	}
	return len(value) <= maxFieldValue && !strings.ContainsFunc(value, odd)
}

// header writes a Header. show returns the value of a field, and whether it is shown.
func header(h http.Header, m *mask, show func(name, value string) (string, bool)) Header {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, key := range names[:min(len(names), MaxHeaderFields)] {
		name := key
		var line strings.Builder
		if !slices.Contains(shownFields, name) && name != "Set-Cookie" { // the name may be a secret
			name = m.present(name)
		}
		line.WriteString(name[:min(len(name), maxFieldName)])
		if values := h[key]; len(values) > 0 {
			if value, shown := show(key, values[0]); shown {
				if !slices.Contains(usualValues, value) {
					value = m.present(value)
				}
				line.WriteString(": " + value)
			}
		}
		line.WriteByte('\n')
		if b.Len()+line.Len() > maxHeader {
			break
		}
		b.WriteString(line.String())
	}
	return Header(b.String())
}

// place tells which server a Location leads to. Its path, query and user may hold secrets.
func place(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return "<malformed>"
	}
	shown := ""
	if u.Scheme != "" {
		shown = u.Scheme + ":"
	}
	if u.Host != "" {
		shown += "//" + u.Host
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		shown += "/…"
	}
	return shown
}
