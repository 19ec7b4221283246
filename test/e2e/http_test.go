package e2e

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

type response struct {
	status int
	header http.Header
	body   []byte
}

// fetch is one GET within the time that a scrape would have.
func fetch(t *testing.T, url string, header http.Header) (*response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("failed to make a request: %w", err)
	}
	if header != nil {
		req.Header = header
	}
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("failed to read %s: %w", url, err)
	}
	noCanary(t, url, fmt.Sprint(res.Header, string(body)))
	return &response{status: res.StatusCode, header: res.Header, body: body}, nil
}

// get is a fetch that must be answered with 200.
func get(t *testing.T, url string, header http.Header) *response {
	t.Helper()
	res, err := fetch(t, url, header)
	if err != nil {
		t.Fatal(err)
	}
	if res.status != http.StatusOK {
		t.Fatalf("GET %s: status %d, want 200\n%s", url, res.status, res.body)
	}
	return res
}
