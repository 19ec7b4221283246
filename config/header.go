package config

import (
	"errors"
	"hmp_exporter/internal/secret"
	"maps"
	"net/http"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"golang.org/x/net/http/httpguts"
)

var (
	errHeaderEmpty = errors.New("is empty")
	errHeaderValue = errors.New("has characters that cannot stand in a header")
)

// header is one of http_headers.
type header struct {
	name   string
	values []secret.Value // those from values and those from secrets
	files  []string       // read anew for every request
}

// Header returns the configured http_headers, for the caller to keep. It reads
// their files on every call, and returns nil if there are no headers.
func (t *Target) Header() (http.Header, error) {
	if len(t.headers) == 0 {
		return nil, nil
	}
	all := make(http.Header, len(t.headers))
	for _, h := range t.headers {
		for _, value := range h.values {
			all.Add(h.name, value.Reveal())
		}
		for _, file := range h.files {
			value, err := readHeader(file)
			if err != nil {
				return nil, &Error{File: file, Field: "header " + h.name, Problem: err.Error(), cause: err}
			}
			all.Add(h.name, value)
		}
	}
	return all, nil
}

// readHeader reads the value of a header. White space around it is dropped, as
// Prometheus does.
func readHeader(file string) (string, error) {
	data, err := readFile(file, maxSecretFile)
	if err != nil {
		return "", err
	}
	value := strings.TrimSpace(string(data))
	switch {
	case value == "":
		return "", errHeaderEmpty
	case !httpguts.ValidHeaderFieldValue(value):
		return "", errHeaderValue
	}
	return value, nil
}

// headers checks http_headers and puts them in a fixed order.
func (b *builder) headers(r *report, path string, raw promconfig.Headers) []header {
	var all []header
	seen := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(raw.Headers)) {
		at, h := join(path, name), raw.Headers[name]
		canonical := http.CanonicalHeaderKey(name)
		if _, reserved := promconfig.ReservedHeaders[canonical]; reserved {
			r.add(at, "this header is set by the exporter", "leave it out; a token belongs in a session")
		}
		if first, ok := seen[canonical]; ok {
			r.add(at, "the same header as "+first, "put all values under one name")
		}
		seen[canonical] = name
		if len(h.Values)+len(h.Secrets)+len(h.Files) == 0 && r.clean(at) {
			r.add(at, "no value", "give it values, secrets or files")
		}
		all = append(all, header{canonical, headerValues(r, at, h), h.Files})
		for i, file := range h.Files {
			field := join(at, "files") + index(i)
			b.config.checks = append(b.config.checks, check{
				at:   Error{File: r.file, Line: r.line(field), Field: field},
				file: file,
				read: func() error { _, err := readHeader(file); return err },
				hint: fileHint,
			})
		}
	}
	return all
}

// headerValues gathers the values that stand in the configuration.
func headerValues(r *report, path string, h promconfig.Header) []secret.Value {
	var all []secret.Value
	add := func(field, value string) {
		if !httpguts.ValidHeaderFieldValue(value) {
			r.add(field, errHeaderValue.Error(), "it is one line of text")
		}
		all = append(all, secret.New(value))
	}
	for i, value := range h.Values {
		add(join(path, "values")+index(i), value)
	}
	for i, value := range h.Secrets {
		add(join(path, "secrets")+index(i), string(value))
	}
	return all
}
