package collector

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
)

// FuzzScrape has an HMP answer every request with the same bytes, and scrapes a session with a
// token and one with an API key.
func FuzzScrape(f *testing.F) {
	const head = "HTTP/1.1 200 OK\r\n\r\n"
	for _, response := range []string{
		"", "SSH-2.0-OpenSSH_9.2\r\n", head, head + `{"data":{}}`, head + `{"data":{"authToken":"another"}}`, head + "<html>",
		head + `{"data":{"authToken":"a","admin":true,"roleIds":["a"],"numLoginFailures":1e308,"lastAction":"9999-12-31T23:59:59Z","lastLoginDate":"1970-01-01T00:00:01Z","serviceMessages":["a\\b\"c\nd\u0000","\ud83d\ude00","\ud83d\ude00 ",7]}}`,
		head + "{\"data\":{\"authToken\":\"\",\"serviceMessages\":[\"\xff\xfe\",\"\\ud800\",\"" + strings.Repeat("\U0001f4fa", 300) + "\"]}}",
		head + `{"data":{"serviceMessages":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17","18","19","20","21","\\","\\"]}}`,
		"HTTP/1.1 401 No\r\n\r\n" + `{"code":"020001","message":"User has no roles assigned"}`, "HTTP/1.1 401 No\r\n\r\n" + `{"code":"020002"}`,
		"HTTP/1.1 500 Oops\r\n\r\n" + `{"code":"070051"}`, "HTTP/1.1 503 Away\r\nRetry-After: 99999999999\r\n\r\n" + `{"code":"090002"}`, "HTTP/1.1 403 No\r\n\r\n" + `{"code":"\"}\n"}`,
		"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "HTTP/1.1 999 What\r\n\r\n", "HTTP/1.1 000 What\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
	} {
		f.Add([]byte(response))
	}
	file := filepath.Join(f.TempDir(), "hmp.yml")
	if err := os.WriteFile(file, []byte("targets:\n"+targetWith("studio", "url: http://studio\nservice_message_text: true", "playout")+keySession("archive", "archive")), 0o600); err != nil {
		f.Fatal(err)
	}
	cfg, err := (&config.Source{File: file}).Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, response []byte) {
		c := New(Options{MaxConcurrent: 1, TimeoutOffset: offset, Logger: log.NewNopLogger()})
		defer c.Close()
		c.dial = answering(response)
		c.Apply(cfg)
		for _, name := range []string{"playout", "archive", "archive"} { // then with the token, or after a failed login
			results, err := c.Probe(Request{Target: "studio", Session: name})
			if err != nil || len(results) != 1 {
				t.Fatalf("%d results, %v", len(results), err)
			}
			canary.Check(t, "the result", fmt.Sprintf("%+v", results))
			checkExposition(t, results[0])
		}
	})
}

// answering returns a dial to a server that answers one request and closes the connection.
func answering(response []byte) dialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			request, err := http.ReadRequest(bufio.NewReader(server))
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			_, _ = server.Write(response)
		}()
		return client, nil
	}
}

// checkExposition checks that the exposition of results is what package expfmt writes, passes
// promlint, and is bounded.
func checkExposition(t *testing.T, results ...Result) {
	t.Helper()
	families := Families(results)
	text := exposition(t, families)
	checkText(t, results)
	if len(text) >= len(results)*32<<10 {
		t.Errorf("the exposition of %d sessions has %d bytes", len(results), len(text))
	}
	checkLabels(t, families)
	lint(t, families)
	if texts := strings.Count(text, "\n"+SessionMessageInfo+"{"); texts > 20 {
		t.Errorf("there are %d texts of messages", texts)
	}
	if len(results) > 1 {
		return
	}
	if got := ones(families, SessionProbeResult, "result"); got != string(results[0].Result) {
		t.Errorf("the result is %s, and exported as %q", results[0].Result, got)
	}
	if codes := ones(families, SessionError, "code"); strings.Contains(codes, ",") {
		t.Errorf("there is more than one error code: %s", codes)
	}
}

func lint(t *testing.T, families []*dto.MetricFamily) {
	t.Helper()
	problems, err := testutil.GatherAndLint(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil }))
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

// checkLabels checks that no two samples have the same labels, and that labels are short valid
// UTF-8.
func checkLabels(t *testing.T, families []*dto.MetricFamily) {
	t.Helper()
	seen := make(map[string]bool)
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += fmt.Sprintf(" %s=%q", l.GetName(), l.GetValue())
				if v := l.GetValue(); !utf8.ValidString(v) || utf8.RuneCountInString(v) >= 256 {
					t.Errorf("a label of %d bytes: %s=%.300q", len(v), l.GetName(), v)
				}
			}
			if seen[name] {
				t.Errorf("there are two samples %s", name)
			}
			seen[name] = true
		}
	}
}
