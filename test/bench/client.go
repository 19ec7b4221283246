package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
)

// newClient returns a client that trusts an authority, if there is one, and keeps its
// connections or makes a new one for every request.
func newClient(ca string, kept bool) (*http.Client, error) {
	t := &http.Transport{
		DisableKeepAlives:   !kept,
		DisableCompression:  true, // who wants it asks for it
		MaxIdleConnsPerHost: mostSessions,
	}
	if ca != "" {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(ca)) {
			return nil, errors.New("the authority is not a certificate")
		}
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: t}, nil
}
