package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

// BenchmarkStart measures the program as it is released: its size, the time from
// its start to its first answered scrape, and its resident memory after that.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	binary := filepath.Join(dir, "hmp_exporter")
	if out, err := exec.Command("make", "build", "BIN="+binary).CombinedOutput(); err != nil {
		b.Fatalf("%v:\n%s", err, out)
	}
	info, err := os.Stat(binary)
	if err != nil {
		b.Fatal(err)
	}
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
	l, err := hmp.Start(hmpsim.ListenConfig{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	file := filepath.Join(dir, "hmp.yml")
	writeConfig(b, file, l.URL, "playout")

	var resident int
	for b.Loop() {
		resident = max(resident, startAndScrape(b, binary, file))
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB-binary")
	b.ReportMetric(float64(resident)/1e3, "MB-resident")
}

// startAndScrape returns the resident memory in kB after the first scrape.
func startAndScrape(b *testing.B, binary, file string) (resident int) {
	address := freeAddress(b)
	cmd := exec.CommandContext(b.Context(), binary, "--config.file="+file, "--web.listen-address="+address)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	for !valid(ctx, "http://"+address+"/metrics") {
		if ctx.Err() != nil {
			b.Fatal("it does not answer")
		}
	}
	b.StopTimer()
	defer b.StartTimer()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rss, _ := bytes.Cut(status, []byte("VmRSS:"))
	if _, err := fmt.Sscan(string(rss), &resident); err != nil {
		b.Fatal(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return resident
}

// freeAddress returns an address that nobody listens on.
func freeAddress(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// valid tells whether a scrape is answered, and finds the session valid.
func valid(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(resp.Body)
	return err == nil && bytes.Contains(body.Bytes(), []byte(`hmp_session_valid{session="playout",target="studio"} 1`))
}
