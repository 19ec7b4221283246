//go:build linux

package bench

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"golang.org/x/sync/errgroup"

	"hmp_exporter/internal/hmpsim"
)

// The baseline is this test binary with a configuration in this environment variable.
const baselineVariable = "HMP_EXPORTER_BENCH_BASELINE"

type baselineConfig struct {
	HMP, CA  string
	Kept     bool
	Sessions int
}

// runBaseline serves the least that an exporter can do: for each session a GET whose answer is thrown
// away, and a line of text.
func runBaseline(text string) error {
	var config baselineConfig
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(config.CA))
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: !config.Kept, DisableCompression: true, MaxIdleConnsPerHost: 256,
		TLSClientConfig: &tls.Config{RootCAs: roots},
	}}
	get := func(session string) error {
		req, err := http.NewRequest(http.MethodGet, config.HMP+hmpsim.Endpoint, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer CANARY-"+session)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("the HMP answered %s", resp.Status)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	answer := func(w http.ResponseWriter, sessions int, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, "# TYPE hmp_session_valid gauge\n"+strings.Repeat("hmp_session_valid 1\n", sessions))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/probe", func(w http.ResponseWriter, r *http.Request) { answer(w, 1, get(r.FormValue("session"))) })
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		var group errgroup.Group
		group.SetLimit(256) // as many as the exporter probes at once
		for _, session := range sessionNames(config.Sessions) {
			group.Go(func() error { return get(session) })
		}
		answer(w, config.Sessions, group.Wait())
	})
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	return http.Serve(listener, mux)
}
