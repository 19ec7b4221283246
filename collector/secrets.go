package collector

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"hmp_exporter/internal/secret"
	"hmp_exporter/internal/token"
)

// secrets are the secrets that a probe of a session sends.
type secrets struct {
	token, key, apiSecret secret.Value
	header                http.Header
}

// ofLogin returns the secrets of a login, if the session has any.
func (s secrets) ofLogin() []secret.Value {
	if s.key.IsZero() {
		return nil
	}
	return []secret.Value{s.key, s.apiSecret}
}

// readSecrets reads the secrets of a session. It returns when ctx ends, even if a disk hangs.
func (s *session) readSecrets(ctx context.Context) (read secrets, err error) {
	if read.token, err = s.Token.Read(ctx); err != nil {
		return secrets{}, err
	}
	if read.key, err = s.APIKey.Read(ctx); err != nil {
		return secrets{}, err
	}
	if read.apiSecret, err = s.APISecret.Read(ctx); err != nil {
		return secrets{}, err
	}
	read.header, err = s.target.Header(ctx)
	return read, err
}

// credential returns the credential of a session with an API key.
func (s *session) credential(read secrets) token.Credential {
	at := canonicalURL(s.target.URL)
	if s.target.Address != "" { // HMPs behind one name do not share tokens
		at += " at " + s.target.Address
	}
	return token.Credential{BaseURL: at, Key: read.key, Secret: read.apiSecret}
}

// canonicalURL returns a base URL in a form that is equal for equal HMPs.
func canonicalURL(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port) + u.EscapedPath()
}
