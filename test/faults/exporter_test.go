package faults

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-kit/log"

	"hmp_exporter/collector"
	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/web"
)

// An exporter is the whole exporter in this process, with an HTTP server.
type exporter struct {
	store     *config.Store
	client    *http.Client
	url       string
	log       *canary.Log
	closeIdle func() // connections of the scraper
	close     func()
}

// startExporter starts an exporter with a configuration of targets, in a file in a directory.
func startExporter(t testing.TB, dir, targets string) *exporter {
	t.Helper()
	file := filepath.Join(dir, "hmp.yml")
	exportertest.WriteFile(t, file, "targets:\n"+targets)
	logged := canary.NewLog(t)
	logger := log.NewLogfmtLogger(logged)
	sessions := collector.New(collector.Options{
		MaxConcurrent: 100,
		TimeoutOffset: 500 * time.Millisecond,
		UserAgent:     "hmp_exporter/test",
		Logger:        logger,
	})
	store := config.NewStore((&config.Source{File: file}).Load, sessions.Apply)
	if err := store.Reload(); err != nil {
		t.Fatal(err)
	}
	handler, err := web.New(web.Options{
		Collector: sessions, Store: store, Reload: store.Reload, Logger: logger, TelemetryPath: "/metrics",
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	return &exporter{
		store:     store,
		client:    &http.Client{Transport: canary.Transport(t, transport)},
		url:       server.URL,
		log:       logged,
		closeIdle: transport.CloseIdleConnections,
		close: func() {
			transport.CloseIdleConnections()
			server.Close()
			sessions.Close()
		},
	}
}

// probe returns the answer of /probe for a target and its duration.
func (e *exporter) probe(target string) (exposition string, took time.Duration, err error) {
	begin := time.Now()
	resp, err := e.client.Get(e.url + "/probe?target=" + target)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return string(body), time.Since(begin), err
}
