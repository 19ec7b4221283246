package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"hmp_exporter/internal/hmpsim"
)

// A floorOrder is to be the least that an exporter can be: a handler that asks an HMP,
// reads the answer to its end and writes a short text that is always the same.
type floorOrder struct {
	HMP, CA string
	Kept    bool // connections to the HMP
}

// floorText says of a probe that it succeeded, and how long it took.
const floorText = "# TYPE hmp_session_valid gauge\nhmp_session_valid 1\n" +
	"# TYPE hmp_session_probe_duration_seconds gauge\nhmp_session_probe_duration_seconds 0.001\n"

func beFloor(orders io.Reader, reports io.Writer) error {
	return obey(orders, reports, func(o floorOrder) (url string, err error) {
		client, err := newClient(o.CA, o.Kept)
		if err != nil {
			return "", err
		}
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: floor{client, o.HMP + hmpsim.Endpoint}}
		go func() { _ = server.Serve(l) }() // as long as the process lives
		return "http://" + l.Addr().String(), nil
	})
}

type floor struct {
	client *http.Client
	hmp    string
}

func (f floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := f.probe(r); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = io.WriteString(w, floorText)
}

func (f floor) probe(r *http.Request) error {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, f.hmp, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+tokenOf(r.URL.Query().Get("session")))
	resp, err := f.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the HMP answers %s", resp.Status)
	}
	return nil
}
