package config

import (
	"context"
	"net/http"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"hmp_exporter/internal/secret"
)

// unusableHeaders are headers that break a probe or change its result, beside the headers
// that the package of Prometheus reserves.
var unusableHeaders = []string{
	"Accept", "Cookie", "Expect", "Http2-Settings", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since",
	"Proxy-Connection", "Range", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// A header is one value of http_headers.
type header struct {
	name  string
	value SecretSource
}

// Header returns the configured http_headers, nil if there are none. It reads their files on
// every call. If ctx ends first, it returns an error.
func (t *Target) Header(ctx context.Context) (http.Header, error) {
	if len(t.headers) == 0 {
		return nil, nil
	}
	all := make(http.Header)
	for _, h := range t.headers {
		value, err := h.value.Read(ctx)
		if err != nil {
			return nil, err
		}
		all.Add(h.name, value.Reveal())
	}
	return all, nil
}

// newHeaders returns the http_headers of the target p.
func (p position) newHeaders(raw map[string]promconfig.Header) (all []header) {
	for name, h := range raw {
		at, canonical := p.child("http_headers").child(name), http.CanonicalHeaderKey(name)
		if _, isReserved := promconfig.ReservedHeaders[canonical]; isReserved || slices.Contains(unusableHeaders, canonical) {
			at.report("this header is set by the exporter, or changes the connection or the answer", "leave it out; a token belongs in a session")
		}
		for i, value := range h.Values {
			all = append(all, header{canonical, at.child("values").item(i).inlineHeader(value)})
		}
		for i, value := range h.Secrets {
			all = append(all, header{canonical, at.child("secrets").item(i).inlineHeader(string(value))})
		}
		for i, file := range h.Files {
			at := at.child("files").item(i)
			at.checkPath(file)
			h.Files[i] = promconfig.JoinDir(p.dir(), file)
			name := strings.TrimPrefix(at.path, p.path+".")
			all = append(all, header{canonical, SecretSource{name: name, file: h.Files[i], kind: kindHeader}})
		}
	}
	return all
}

// inlineHeader returns the value of a header that is in the configuration itself.
func (p position) inlineHeader(value string) SecretSource {
	p.checkSecret(value, kindHeader)
	return SecretSource{name: p.path, value: secret.New(value), kind: kindHeader}
}
