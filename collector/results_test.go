package collector

import (
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

// verdict is what the metrics say of one probe.
type verdict struct {
	Result string // of the state set, the one that is 1
	Up     string
	Valid  string
	Status string
	Code   string // as Result
	GETs   int    // that the HMP has seen
}

func (r *rig) verdict(q Request, sim *hmpsim.Server) (verdict, Result) {
	r.t.Helper()
	results := r.probe(q)
	if len(results) != 1 {
		r.t.Fatalf("got %d results", len(results))
	}
	f := Families(results)
	return verdict{
		Result: ones(r.t, f, SessionProbeResult, "result"),
		Up:     valueOf(r.t, f, Up),
		Valid:  valueOf(r.t, f, SessionValid),
		Status: valueOf(r.t, f, SessionHTTPStatus),
		Code:   ones(r.t, f, SessionError, "code"),
		GETs:   sim.Stats().GETs,
	}, results[0]
}

// TestResults has what an HMP, or the network before it, can do, and what is to
// be said of it: every row of the table of results.
func TestResults(t *testing.T) {
	tests := []struct {
		name      string
		behaviour hmpsim.Behaviour
		settings  string // of the target; its url on the simulated network without them
		want      verdict
	}{
		{"valid", valid(), "", verdict{"valid", "1", "1", "200", "", 1}},
		{"no_roles", hmpsim.NoRoles(), "", verdict{"no_roles", "1", "0", "401", "020001", 1}},
		{"unauthorized", hmpsim.Unauthorized(), "", verdict{"unauthorized", "1", "0", "401", "020001", 1}},
		{"unauthorized: an unknown session", hmpsim.UnknownSession(), "", verdict{"unauthorized", "1", "0", "404", "040022", 1}},
		{"internal_error", hmpsim.InternalError("oops"), "", verdict{"internal_error", "1", "0", "500", "070000", 1}},
		{"internal_error: another code", hmpsim.CreateUserSession(), "", verdict{"internal_error", "1", "0", "500", "070051", 1}},
		{"auth_unavailable", hmpsim.AuthUnavailable(), "", verdict{"auth_unavailable", "1", "0", "503", "090002", 1}},
		{"endpoint_missing", hmpsim.EndpointMissing(), "", verdict{"endpoint_missing", "1", "0", "404", "", 1}},
		{"redirect", hmpsim.Redirect(http.StatusFound, "/login"), "", verdict{"redirect", "1", "0", "302", "", 1}},
		{"http_error", hmpsim.BadGateway(), "", verdict{"http_error", "1", "0", "502", "", 1}},
		{"http_error: a code beyond the catalogue", hmpsim.Error(409, "060006", "", ""), "", verdict{"http_error", "1", "0", "409", "other", 1}},
		{"unauthorized: forbidden by HMP", hmpsim.Error(403, "030001", "", ""), "", verdict{"unauthorized", "1", "0", "403", "other", 1}},
		{"bad_payload: a page", hmpsim.LoginPage(), "", verdict{"bad_payload", "1", "0", "200", "", 1}},
		{"bad_payload: cut off", hmpsim.CutOff(lookalike()), "", verdict{"bad_payload", "1", "0", "200", "", 1}},
		{"bad_payload: too large", hmpsim.Large(lookalike(), 1<<20), "url: http://studio\nmax_body_size: 1KiB", verdict{"bad_payload", "1", "0", "200", "", 1}},
		{"timeout: before headers", hmpsim.Hang(), "", verdict{"timeout", "0", "0", "0", "", 1}},
		{"timeout: in the body", hmpsim.HangInBody(lookalike()), "", verdict{"timeout", "1", "0", "200", "", 1}},
		{"protocol: reset", hmpsim.Reset(), "", verdict{"protocol", "0", "0", "0", "", 1}},
		{"protocol: not HTTP", hmpsim.Malformed(), "", verdict{"protocol", "0", "0", "0", "", 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				sim := r.simulate("studio", sessions{"playout": tt.behaviour})
				settings := tt.settings
				if settings == "" {
					settings = "url: http://studio"
				}
				r.Apply(r.load(targetWith("studio", settings, "playout")))
				begin := time.Now()
				got, _ := r.verdict(Request{Target: "studio", Session: "playout"}, sim)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				took := time.Since(begin)
				if ranOut := took == 10*time.Second; ranOut != (tt.want.Result == "timeout") || !ranOut && took != 0 {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// TestResultsOfTheNetwork has those rows whose lookups and connections are real.
func TestResultsOfTheNetwork(t *testing.T) {
	tests := []struct{ name, url string }{
		{"dns", "https://hmp.studio..example"},
		{"connect", "https://127.0.0.1:1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			r.dial = nil
			r.Apply(r.load(targetWith("studio", "url: "+tt.url, "playout")))
			got, result := r.verdict(Request{Target: "studio"}, hmpsim.New())
			if diff := cmp.Diff(verdict{tt.name, "0", "0", "0", "", 0}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if result.Reason == "" {
				t.Error("there is no reason")
			}
		})
	}
}

// TestResultsOfTLS has a certificate that is good and one that has expired. Both
// tell when.
func TestResultsOfTLS(t *testing.T) {
	tests := []struct {
		name    string
		expires time.Duration // from now
		want    verdict
	}{
		{"valid", time.Hour, verdict{"valid", "1", "1", "200", "", 1}},
		{"tls", -time.Hour, verdict{"tls", "0", "0", "0", "", 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			r.dial = nil // a pipe has no buffer, in which an alert could cross the handshake
			expiry := time.Now().Add(tt.expires).Truncate(time.Second)
			sim := newSim(sessions{"playout": valid()})
			certificate := r.certificate(hmpsim.CertificateOptions{NotAfter: expiry})
			hmp, err := sim.Start(hmpsim.ListenConfig{Certificate: &certificate})
			if err != nil {
				t.Fatal(err)
			}
			defer hmp.Close()
			r.Apply(r.load(targetWith("studio", "url: "+hmp.URL+"\ntls_config: {ca_file: ca.pem}", "playout")))

			got, result := r.verdict(Request{Target: "studio"}, sim)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !result.CertificateExpiry.Equal(expiry) {
				t.Errorf("the certificate expires at %v, want %v", result.CertificateExpiry, expiry)
			}
		})
	}
}

// certificate makes one, and writes that of its authority to ca.pem.
func (r *rig) certificate(o hmpsim.CertificateOptions) tls.Certificate {
	r.t.Helper()
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		r.t.Fatal(err)
	}
	certificate, err := authority.Certificate(o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.file("ca.pem", string(authority.PEM()))
	return certificate
}

// TestResultsOfSecrets has what can be wrong with a token's file. The file is
// read for every probe, so that no reload is needed to put it right.
func TestResultsOfSecrets(t *testing.T) {
	nothingSent := verdict{"credentials", absent, "0", "0", "", 0}
	tests := []struct {
		name   string
		spoil  func(path string) error
		reason string // a part of it
	}{
		{"missing", os.Remove, "no such file"},
		{"empty", func(path string) error { return os.Truncate(path, 0) }, "is empty"},
		{"a directory", func(path string) error { _ = os.Remove(path); return os.Mkdir(path, 0o700) }, "token"},
		{"two lines", func(path string) error { return os.WriteFile(path, []byte(canary.Word+"\n"+canary.Word+"\n"), 0o600) }, "more than one line"},
	}
	for _, tt := range tests {
		t.Run("credentials: "+tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				sim := r.simulate("studio", sessions{"playout": valid()})
				r.file("token", tokenOf("playout")+"\n")
				r.Apply(r.load(targetWith("studio", "url: http://studio") + "      - {name: playout, token_file: token}\n"))
				path := filepath.Join(r.dir, "token")
				if err := tt.spoil(path); err != nil {
					t.Fatal(err)
				}
				got, result := r.verdict(Request{Target: "studio"}, sim)
				if diff := cmp.Diff(nothingSent, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if !strings.Contains(result.Reason, path) || !strings.Contains(result.Reason, tt.reason) {
					t.Errorf("reason %q, want one with %q", result.Reason, tt.reason)
				}

				_ = os.Remove(path)
				r.file("token", tokenOf("playout")+"\n")
				if got, _ := r.verdict(Request{Target: "studio"}, sim); got.Result != "valid" {
					t.Errorf("the file is back: got %+v", got)
				}
			})
		})
	}
}
