package hmpsim

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hmp_exporter/internal/canary"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(canary.Watch(m)) }

// A reply is what a client saw of one call.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of the call, or of reading the body
}

// code returns the code of an envelope, or "".
func (r reply) code() string {
	var e struct{ Code string }
	_ = json.Unmarshal([]byte(r.body), &e)
	return e.Code
}

// authToken returns the token of a session, or "".
func (r reply) authToken() string {
	var payload struct {
		Data struct{ AuthToken string }
	}
	_ = json.Unmarshal([]byte(r.body), &payload)
	return payload.Data.AuthToken
}

// A caller calls a simulated HMP.
type caller struct {
	t         *testing.T
	listening *Listening
	client    *http.Client
}

// start serves sim over a pipe, so that it works in a synctest bubble too.
func start(t *testing.T, sim *Server) caller {
	t.Helper()
	pipe := ListenPipe()
	c := startWith(t, sim, ListenConfig{Listener: pipe})
	c.client.Transport.(*http.Transport).DialContext = pipe.DialContext
	return c
}

func startWith(t *testing.T, sim *Server, config ListenConfig) caller {
	t.Helper()
	listening, err := sim.Start(config)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(listening.Close)
	return caller{t: t, listening: listening, client: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (c caller) get(bearer string) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.listening.URL+Endpoint, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	return c.do(req)
}

func (c caller) post(contentType, body string) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.listening.URL+Endpoint, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	return c.do(req)
}

func (c caller) login(apiKey, secret string) reply {
	c.t.Helper()
	body, err := json.Marshal(map[string]string{"apiKey": apiKey, "apiSecret": secret})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.post("application/json", string(body))
}

func (c caller) do(req *http.Request) reply {
	resp, err := c.client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, header: resp.Header, body: string(body), err: err}
}

// trust makes the client trust a CA, and speak HTTP/2 where the server does.
func (c caller) trust(pem []byte) {
	c.t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		c.t.Fatal("no certificate in the PEM")
	}
	transport := c.client.Transport.(*http.Transport)
	transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	transport.ForceAttemptHTTP2 = true
}

// A fakeClock is moved by hand.
type fakeClock struct{ t time.Time }

func newFakeClock() *fakeClock {
	return &fakeClock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func (c *fakeClock) now() time.Time          { return c.t }
func (c *fakeClock) advance(d time.Duration) { c.t = c.t.Add(d) }
