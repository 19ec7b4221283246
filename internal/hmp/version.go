package hmp

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"hmp_exporter/internal/secret"
)

const (
	// versionPath is where HMP returns its version to any session, since 4.0 or earlier
	// (vendor page "Get the HMP Software Build Version").
	versionPath = "/apis/system/version"
	// maxVersionBody bounds the body of that answer, in bytes.
	maxVersionBody = 4 << 10
	// MaxVersionLength bounds each text of a [Version], in characters.
	MaxVersionLength = 64
)

const (
	errVersionTooLarge bodyError = "the body is larger than 4 KiB"
	errNoVersion       bodyError = "the body does not have the version and the build as texts"
	errVersionIsSecret bodyError = "the body repeats a secret"
)

// A Version is the software version of an HMP. Both texts are valid UTF-8 without control
// characters, of at most [MaxVersionLength] characters, and not empty.
type Version struct{ Version, Build string }

// Version asks the HMP for its version with the token of a session. ctx must have a deadline.
// The version is zero unless the answer is [Valid].
//
// The request has a connection of its own, so that it does not disturb a probe.
func (c *Client) Version(ctx context.Context, r SessionRequest) (v Version, a Answer) {
	call := c.newCall(http.MethodGet, r.Header, r.Secrets...)
	call.url, call.version, call.reuse = endpoint(c.options.URL, versionPath), &v, false
	call.authorize(r.Token)
	c.do(ctx, call, &a)
	return v, a
}

// readVersion reads the answer to the version call. It reads no body of an error, because the
// status says enough.
func (c *call) readVersion(ctx context.Context, resp *http.Response, a *Answer) {
	if resp.StatusCode != http.StatusOK {
		a.Result = errorResult(a, "")
		return
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxVersionBody+1))
	if err == nil {
		*c.version, err = c.parseVersion(body)
	}
	switch {
	case err == nil:
		a.Result = Valid
	case expired(ctx):
		a.Result = Timeout
	default:
		a.Result, a.Reason = BadPayload, bodyReason(err, resp.Header.Get("Content-Encoding"))
	}
}

// parseVersion returns the version in a body.
func (c *call) parseVersion(body []byte) (Version, error) {
	if len(body) > maxVersionBody {
		return Version{}, errVersionTooLarge
	}
	var b struct {
		Data struct{ Version, Build, AuthToken, SessionID string }
	}
	err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), &b)
	c.secrets = append(c.secrets, b.Data.AuthToken, b.Data.SessionID)
	m := newMask(c.secrets...)
	version, build := m.apply(b.Data.Version, true), m.apply(b.Data.Build, true)
	switch {
	case err != nil || version == "" || build == "":
		return Version{}, errNoVersion
	case strings.Contains(version+build, secret.Masked):
		return Version{}, errVersionIsSecret
	}
	return Version{shortened(version, MaxVersionLength), shortened(build, MaxVersionLength)}, nil
}
