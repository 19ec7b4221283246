package collector

import (
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"hmp_exporter/config"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestAddressAndCA checks that the exporter connects to the address, and uses the URL for
// everything else. It follows ca_file without a reload, and errors name the file.
func TestAddressAndCA(t *testing.T) {
	for _, http2 := range []string{"false", "true"} {
		t.Run("HTTP/2 "+http2, func(t *testing.T) {
			r := newRig(t)
			r.dial = nil
			var host, serverName atomic.Value
			sim := newSim(sessions{"playout": func(w http.ResponseWriter, req *http.Request, c hmpsim.Call) {
				host.Store(req.Host)
				serverName.Store(req.TLS.ServerName)
				valid()(w, req, c)
			}})
			certificate := r.certificate(hmpsim.CertificateOptions{Hosts: []string{"hmp.invalid"}})
			listening, err := sim.Start(hmpsim.ListenConfig{Certificate: &certificate})
			if err != nil {
				t.Fatal(err)
			}
			defer listening.Close()
			apply := func(url string) {
				address := strings.TrimPrefix(listening.URL, "https://")
				r.Apply(r.load(targetWith("studio", "url: "+url+"\naddress: "+address+"\nenable_http2: "+http2+"\ntls_config: {ca_file: ca.pem}", "playout")))
			}
			expect := func(want hmp.Result, reason string) {
				t.Helper()
				if got := r.probe(Request{})[0]; got.Result != want || !strings.Contains(got.Reason, reason) {
					t.Errorf("%s: %q, want %s: %q", got.Result, got.Reason, want, reason)
				}
			}
			apply("https://hmp.invalid:8443")
			expect(hmp.Valid, "")
			if host.Load() != "hmp.invalid:8443" || serverName.Load() != "hmp.invalid" {
				t.Errorf("host %v, server name %v", host.Load(), serverName.Load())
			}
			file := r.dir + "/ca.pem"
			trusted, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r.certificate(hmpsim.CertificateOptions{}) // writes another CA
			expect(hmp.TLS, "the certificate is not signed by the CA in "+file)
			r.file("ca.pem", string(trusted))
			expect(hmp.Valid, "")
			apply("https://hmp.other")
			expect(hmp.TLS, "hmp.other")
		})
	}
}

// TestLabelsOfMetricsAreReserved checks that a target cannot have a label of the metrics.
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

// TestUnknownNames checks that an error quotes the unknown name, and cuts a long one.
func TestUnknownNames(t *testing.T) {
	r := newRig(t)
	r.studio(sessions{"playout": valid()})
	for want, q := range map[string]Request{
		`unknown target "stu\ndio"`: {Target: "stu\ndio"},
		`unknown session "` + strings.Repeat("a", 100) + `" of target "studio"`: {Target: "studio", Session: strings.Repeat("a", 1000)},
	} {
		if _, err := r.Probe(q); err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
}
