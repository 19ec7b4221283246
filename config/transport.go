package config

import (
	"crypto/tls"
	"hmp_exporter/internal/secret"
	"maps"
	"net/url"
	"slices"

	promconfig "github.com/prometheus/common/config"
	"golang.org/x/net/http/httpguts"
)

// transport adds what an HTTP client needs to reach a target: TLS, proxy and headers.
func (b *builder) transport(r *report, path, dir string, raw *rawTarget, t *Target) {
	t.TLS = buildTLS(r, join(path, "tls_config"), dir, raw.TLSConfig)

	if err := raw.ProxyConfig.Validate(); err != nil && r.clean(join(path, "proxy_url")) {
		r.add(join(path, proxyField(r, path)), err.Error(), "")
	}
	for _, name := range slices.Sorted(maps.Keys(raw.ProxyConnectHeader)) {
		values := raw.ProxyConnectHeader[name]
		at := join(join(path, "proxy_connect_header"), name)
		if len(values) == 0 && r.clean(at) {
			r.add(at, "no value", "give it a list of values")
		}
		for i, value := range values {
			if !httpguts.ValidHeaderFieldValue(string(value)) {
				r.add(at+index(i), "has characters that cannot stand in a header", "")
			}
		}
	}
	t.Proxy = raw.Proxy()
	t.ProxyConnectHeader = raw.GetProxyConnectHeader()

	raw.HTTPHeaders.SetDirectory(dir)
	t.headers = b.headers(r, join(path, "http_headers"), raw.HTTPHeaders)
}

// proxyField is the first field of the proxy settings that was given.
func proxyField(r *report, path string) string {
	for _, field := range []string{"proxy_connect_header", "no_proxy", "proxy_from_environment"} {
		if r.has(join(path, field)) {
			return field
		}
	}
	return "proxy_url"
}

// maskProxy hides user and password of a proxy. It replaces the URL, because the
// proxy function goes on using the one that it has.
func maskProxy(raw *rawTarget) {
	if u := raw.ProxyURL.URL; u != nil && u.User != nil {
		clean := *u
		clean.User = url.User(secret.Masked)
		raw.ProxyURL.URL = &clean
	}
}

// buildTLS makes the TLS settings of a client, the default ones from nil.
func buildTLS(r *report, path, dir string, raw *promconfig.TLSConfig) *tls.Config {
	if raw == nil {
		return new(tls.Config)
	}
	raw.SetDirectory(dir)
	for _, field := range []string{"ca_ref", "cert_ref", "key_ref"} {
		if r.has(join(path, field)) {
			r.add(join(path, field), "secret managers are not supported", "name a file instead")
		}
	}
	checkPEM(r, join(path, "ca_file"), raw.CAFile)
	checkPEM(r, join(path, "cert_file"), raw.CertFile)
	checkPEM(r, join(path, "key_file"), raw.KeyFile)
	if !r.clean(path) {
		return new(tls.Config)
	}
	config, err := promconfig.NewTLSConfig(raw)
	if err != nil {
		r.add(path, err.Error(), "")
		return new(tls.Config)
	}
	return config
}

// checkPEM reports a file that cannot be read. NewTLSConfig would read it without
// a bound, and would wait for a FIFO.
func checkPEM(r *report, path, file string) {
	if file == "" {
		return
	}
	if _, err := readFile(file, maxPEMFile); err != nil {
		r.addError(&Error{Line: r.line(path), Field: path, Problem: file + ": " + err.Error(), Hint: fileHint(err), cause: err})
	}
}
