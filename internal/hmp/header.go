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
	// maxFieldName bounds the name of a field, in bytes. Its value has the bounds of
	// a service message.
	maxFieldName = 64
	// maxSegment is how long a part of a path is at most that looks like a word and
	// not like a key; maxDigits is how long if there are digits in it.
	maxSegment, maxDigits = 24, 12
	// meanField is about how long a field is, in bytes.
	meanField = 32
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

// harmless are the fields of a response whose values tell what answered, and nothing
// of a session. Set-Cookie has a secret; so may whatever is not known here.
var harmless = map[string]bool{
	"Age":               true,
	"Allow":             true,
	"Cache-Control":     true,
	"Connection":        true,
	"Content-Encoding":  true,
	"Content-Length":    true,
	"Content-Type":      true,
	"Date":              true,
	"Location":          true, // cut down by place
	"Retry-After":       true,
	"Server":            true,
	"Transfer-Encoding": true,
	"Vary":              true,
	"Via":               true,
}

// receivedHeader tells of the header of a response, in which secrets may be repeated.
func receivedHeader(h http.Header, secrets []string) Header {
	return header(h, func(name, value string) (string, bool) {
		if name == "Location" {
			value = place(value, secrets)
		}
		return mask(value, secrets...), harmless[name]
	}, secrets)
}

// sentHeader tells of the header of a request. The values that this program sets are
// shown, but for that of Authorization; those that are configured never are.
func sentHeader(req *http.Request) Header {
	return header(req.Header, func(name, value string) (string, bool) {
		return value, ownValue(req, name)
	}, nil)
}

// ownValue tells whether the value of a field of a request is this program's, and not
// one of a credential or of the configuration.
func ownValue(req *http.Request, name string) bool {
	return name == "Accept" || name == "User-Agent" || name == "Content-Type" && req.Method == http.MethodPost
}

// header writes a Header, of values as show has them if it allows for that.
func header(h http.Header, show func(name, value string) (string, bool), secrets []string) Header {
	names := make([]string, 0, MaxHeaderFields)
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.Grow(min(len(names), MaxHeaderFields) * meanField)
	for _, name := range names[:min(len(names), MaxHeaderFields)] {
		value, shown := "", false
		if values := h[name]; len(values) > 0 {
			value, shown = show(name, values[0])
		}
		if !shown {
			value = ""
		}
		name, value = presentable(shortened(maskFold(name, secrets))), presentable(value)
		if b.Len()+len(name)+len(value)+len(": \n") > maxHeader {
			break
		}
		b.WriteString(name)
		if shown {
			b.WriteString(": ")
			b.WriteString(value)
		}
		b.WriteByte('\n')
	}
	return Header(b.String())
}

func shortened(name string) string {
	if len(name) > maxFieldName {
		return name[:maxFieldName]
	}
	return name
}

// maskFold is mask for the name of a field, which has no case.
func maskFold(name string, secrets []string) string {
	for _, s := range secrets {
		if len(s) >= minMasked && len(name) >= len(s) && strings.Contains(strings.ToLower(name), strings.ToLower(s)) {
			return "<secret>"
		}
	}
	return name
}

// place tells where a Location leads, without what could be a secret: no user, query
// or fragment, and of the path the parts that look like words.
func place(location string, secrets []string) string {
	u, err := url.Parse(location)
	if err != nil {
		return "<malformed>"
	}
	// A secret can have a slash or a semicolon in it: a part of one would not be known.
	path, _, cut := strings.Cut(mask(u.Path, secrets...), ";")
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if len(s) > maxSegment || len(s) > maxDigits && strings.ContainsAny(s, "0123456789") {
			segments[i] = "…"
		}
	}
	shown := strings.Join(segments, "/")
	if u.Host != "" {
		shown = "//" + u.Host + shown
	}
	if u.Scheme != "" {
		shown = u.Scheme + ":" + shown
	}
	if cut || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		shown += "…"
	}
	return shown
}
