package canary

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"testing"
)

// Transport searches all that comes back from next: headers and bodies, gzip
// included. It holds a body back until it has been read whole.
func Transport(t testing.TB, next http.RoundTripper) http.RoundTripper {
	return transport{t, next}
}

type transport struct {
	t    testing.TB
	next http.RoundTripper
}

func (w transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		Check(w.t, "the error of "+req.Method+" "+req.URL.Path, err.Error())
		return nil, err
	}
	what := req.Method + " " + req.URL.Path
	Check(w.t, "the header of "+what, fmt.Sprint(resp.Header, resp.Trailer))
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	Check(w.t, what, plain(resp, body))
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	return resp, nil
}

// plain is a body as a reader of it sees it, as far as it goes.
func plain(resp *http.Response, body []byte) string {
	if resp.Header.Get("Content-Encoding") != "gzip" {
		return string(body)
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return string(body)
	}
	text, _ := io.ReadAll(z)
	return string(text)
}

// failing ends a body in the way that the one before it did.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}
