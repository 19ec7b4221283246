package collector

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// A connection goes to the address, and everything else is that of the URL.
func TestAddress(t *testing.T) {
	r := newRig(t)
	r.dial = nil
	var host, name atomic.Value
	sim := newSim(sessions{"playout": func(w http.ResponseWriter, req *http.Request, c hmpsim.Call) {
		host.Store(req.Host)
		name.Store(req.TLS.ServerName)
		valid()(w, req, c)
	}})
	certificate := r.certificate(hmpsim.CertificateOptions{Hosts: []string{"hmp.invalid"}})
	listening, err := sim.Start(hmpsim.ListenConfig{Certificate: &certificate})
	if err != nil {
		t.Fatal(err)
	}
	defer listening.Close()
	address := strings.TrimPrefix(listening.URL, "https://")
	r.Apply(r.load(targetWith("studio", "url: https://hmp.invalid:8443\naddress: "+address+"\ntls_config: {ca_file: ca.pem}", "playout")))
	if got := r.probe(Request{})[0]; got.Result != hmp.Valid || host.Load() != "hmp.invalid:8443" || name.Load() != "hmp.invalid" {
		t.Errorf("%s (%s), host %v, server name %v", got.Result, got.Reason, host.Load(), name.Load())
	}
	r.Apply(r.load(targetWith("studio", "url: https://hmp.other\naddress: "+address+"\ntls_config: {ca_file: ca.pem}", "playout")))
	if got := r.probe(Request{})[0]; got.Result != hmp.TLS || !strings.Contains(got.Reason, "hmp.other") {
		t.Errorf("%s (%s), want the certificate to be for another name", got.Result, got.Reason)
	}
}

// Another ca_file is taken without a reload, and what is wrong with it is told by its name.
func TestCAFileIsFollowed(t *testing.T) {
	for _, http2 := range []string{"false", "true"} {
		t.Run("HTTP/2 "+http2, func(t *testing.T) {
			r := newRig(t)
			r.dial = nil
			sim := newSim(sessions{"playout": valid()})
			certificate := r.certificate(hmpsim.CertificateOptions{})
			listening, err := sim.Start(hmpsim.ListenConfig{Certificate: &certificate})
			if err != nil {
				t.Fatal(err)
			}
			defer listening.Close()
			r.Apply(r.load(targetWith("studio", "url: "+listening.URL+"\nenable_http2: "+http2+"\ntls_config: {ca_file: ca.pem}", "playout")))
			check := func(want hmp.Result, reason string) {
				t.Helper()
				if got := r.probe(Request{})[0]; got.Result != want || !strings.HasSuffix(got.Reason, reason) {
					t.Errorf("%s: %q, want %s: %q", got.Result, got.Reason, want, reason)
				}
			}
			check(hmp.Valid, "")
			file := r.dir + "/ca.pem"
			trusted, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r.certificate(hmpsim.CertificateOptions{}) // of another CA
			check(hmp.TLS, "the certificate is not signed by the CA in "+file+"; the HMP's certificate may be new")
			r.file("ca.pem", string(trusted))
			check(hmp.Valid, "")
			r.file("ca.pem", "no PEM")
			check(hmp.TLS, "ca_file "+file+": has no certificate in it")
		})
	}
}

// A label of a target is none that the metrics have.
func TestLabelsOfMetricsAreReserved(t *testing.T) {
	r := newRig(t)
	seen := make(map[string]bool)
	for _, m := range Metrics {
		for _, label := range m.Labels {
			if m.Name == BuildInfo || m.Name == ScrapesRefused || seen[label] {
				continue // not a metric of a target
			}
			seen[label] = true
			r.file("labels.yml", "targets:\n"+targetWith("studio", "url: http://studio\nlabels: {"+label+": a}", "playout"))
			if _, err := (&config.Source{File: r.dir + "/labels.yml"}).Load(); err == nil || !strings.Contains(err.Error(), "labels."+label+": this label is reserved") {
				t.Errorf("a target may have the label %s: %v", label, err)
			}
		}
	}
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
