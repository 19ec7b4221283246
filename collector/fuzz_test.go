package collector

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/token"
)

// FuzzFamilies makes an exposition of any result that there can be.
func FuzzFamilies(f *testing.F) {
	f.Add(uint8(0), "", int64(200), "Password change required|a\\b\"c\nd|\u2028|\U0001f4fa", int64(3), 3.0, int64(1742584801099), int64(1748000000000), int64(time.Second), true)
	f.Add(uint8(1), "020001", int64(401), "", int64(0), 0.0, int64(0), int64(-1), int64(0), false)
	f.Add(uint8(6), "other", int64(-1), "\x00\x7f\xff|\r\n|"+strings.Repeat("\U0001f4fa", 300), int64(math.MaxInt64), math.MaxFloat64, int64(math.MinInt64), int64(math.MaxInt64), int64(math.MaxInt64), true)
	f.Add(uint8(14), "020002", int64(0), strings.Repeat("a|b|", 50), int64(-1), math.SmallestNonzeroFloat64, int64(1), int64(999), int64(1), true)
	f.Fuzz(func(t *testing.T, result uint8, code string, status int64, texts string, n int64, x float64, at, end, took int64, key bool) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return
		}
		count := int(n >> 1)
		r := Result{
			Target: "studio", Session: "playout",
			Duration: time.Duration(took), Timeout: time.Duration(end), Start: moment(at), Rotations: int32(count), Skipped: n&1 == 1,
			Answer: hmp.Answer{
				Result:    hmp.Results[int(result)%len(hmp.Results)].Result,
				Responded: status > 0, StatusCode: int(status), Code: hmp.Code(code), CertificateExpiry: moment(end),
				Phases: hmp.Phases{Resolve: time.Duration(took), Connect: time.Duration(at), TLS: 1, Processing: time.Duration(end)},
				Details: hmp.Details{
					Admin: new(key), Roles: &count, LoginFailures: &x, ServiceMessages: &count,
					LastAction: moment(at), LastLogin: moment(at / 3), MessageTexts: messages(texts),
				},
			},
		}
		if key {
			r.Logins = &Logins{Status: token.Status{TokenExpiry: moment(end), Suspended: !key}, Last: r.Result, Counts: map[hmp.Result]int{r.Result: count, hmp.Valid: int(status)}}
		}
		checkExposition(t, r)
	})
}

// moment is a time between the years 1 and 9999, as certificates and HMPs have them.
func moment(ms int64) time.Time { return time.UnixMilli(ms % 62135596800000) }

// messages returns texts as an answer has them, except that control characters stay.
func messages(joined string) (texts []string) {
	for text := range strings.SplitSeq(strings.ToValidUTF8(joined, "\ufffd"), "|") {
		characters := []rune(text)
		text = string(characters[:min(len(characters), hmp.MaxMessageLength)])
		if len(texts) < hmp.MaxMessages && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// FuzzScrape has an HMP answer every request with any bytes at all, and makes a scrape
// of it: of a session with a token, and of one that logs in.
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
	if err := os.WriteFile(file, []byte("targets:\n"+targetWith("studio", "url: http://studio\nservice_message_text: true", "playout")+keySession("archive")), 0o600); err != nil {
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
		for _, name := range []string{"playout", "archive", "archive"} { // the last time with what it learnt
			results, err := c.Probe(Request{Target: "studio", Session: name})
			if err != nil || len(results) != 1 {
				t.Fatalf("%d results, %v", len(results), err)
			}
			canary.Check(t, "the result", fmt.Sprintf("%+v", results))
			checkExposition(t, results[0])
		}
	})
}

// keySession writes a session that logs in.
func keySession(name string) string {
	return fmt.Sprintf("      - {name: %s, api_key: %s, api_secret: %s}\n", name, canary.Word, canary.Word)
}

// answering returns a dial to a far side that answers a request with bytes of its own
// choice, and closes the connection.
func answering(response []byte) dialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			request, err := http.ReadRequest(bufio.NewReader(far))
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			_, _ = far.Write(response)
		}()
		return near, nil
	}
}

// checkExposition checks that the exposition of results can be read, says the same when it is
// read, passes promlint, and is bounded.
func checkExposition(t *testing.T, results ...Result) {
	t.Helper()
	families := Families(results)
	text := exposition(t, families)
	checkText(t, results)
	if len(text) >= len(results)*32<<10 {
		t.Errorf("the exposition of %d sessions has %d bytes", len(results), len(text))
	}
	said, read := flat(t, families), flat(t, parse(t, text))
	if diff := cmp.Diff(said, read); diff != "" {
		t.Errorf("(-said +read):\n%s", diff)
	}
	lint(t, families)
	if texts := strings.Count(text, "\n"+SessionMessageInfo+"{"); texts > 20 {
		t.Errorf("there are %d texts of messages", texts)
	}
	if len(results) > 1 {
		return
	}
	if got := ones(t, families, SessionProbeResult, "result"); got != string(results[0].Result) {
		t.Errorf("the result is %s, and exported as %q", results[0].Result, got)
	}
	if codes := ones(t, families, SessionError, "code"); strings.Contains(codes, ",") {
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

// flat returns all samples by what they are called.
func flat(t *testing.T, families []*dto.MetricFamily) map[string]float64 {
	t.Helper()
	samples := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.Metric {
			name := fmt.Sprint(f.GetName(), " ", f.GetType(), " ", f.GetHelp())
			for _, l := range m.Label {
				name += fmt.Sprintf(" %s=%q", l.GetName(), l.GetValue())
				if v := l.GetValue(); !utf8.ValidString(v) || utf8.RuneCountInString(v) >= 256 {
					t.Errorf("a label of %d bytes: %s=%.300q", len(v), l.GetName(), v)
				}
			}
			if _, twice := samples[name]; twice {
				t.Errorf("there are two samples %s", name)
			}
			samples[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return samples
}
