package hmpsim

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestHang(t *testing.T) {
	tests := []struct {
		name      string
		behaviour Behaviour
		headers   bool // arrive before the stall
	}{
		{"hang", Hang(), false},
		{"hang in body", HangInBody(ExampleSession()), true},
		{"long delay", Delay(time.Hour, NoRoles()), false},
		{"slow drip", Drip(1, time.Minute, Valid(ExampleSession())), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := New()
				sim.SetToken("token", tt.behaviour)
				c := start(t, sim)
				c.client.Timeout = 5 * time.Second
				begin := time.Now()
				got := c.get("token")
				if !errors.Is(got.err, context.DeadlineExceeded) {
					t.Errorf("error %v, want a timeout", got.err)
				}
				if d := time.Since(begin); d != 5*time.Second {
					t.Errorf("took %v, want the client's 5s", d)
				}
				if arrived := got.status == http.StatusOK; arrived != tt.headers {
					t.Errorf("headers arrived: %v, want %v", arrived, tt.headers)
				}
				synctest.Wait()
				if n := sim.Stats().Accounts["token"].InFlight; n != 0 {
					t.Errorf("%d calls in flight after the client has gone", n)
				}
			})
		})
	}
}

// A login that hangs ends with its client too, since its body has been read.
func TestHangingLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := New()
		sim.AddKey("key", "secret", Hang())
		c := start(t, sim)
		c.client.Timeout = time.Second
		if got := c.login("key", "secret"); !errors.Is(got.err, context.DeadlineExceeded) {
			t.Errorf("error %v, want a timeout", got.err)
		}
		synctest.Wait()
		if got := sim.Stats(); got.Accounts["key"].InFlight != 0 || got.Logins != 0 {
			t.Errorf("in flight %d, logins %d, want none", got.Accounts["key"].InFlight, got.Logins)
		}
	})
}

func TestDrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := New()
		sim.SetToken("token", Drip(4, time.Second, Raw(http.StatusOK, jsonType, `{"data":{}}`)))
		begin := time.Now()
		got := start(t, sim).get("token")
		if got.err != nil || got.body != `{"data":{}}` {
			t.Errorf("body %q, error %v", got.body, got.err)
		}
		if d := time.Since(begin); d != 3*time.Second {
			t.Errorf("11 bytes took %v, want 3s", d)
		}
	})
}

func TestBrokenConnections(t *testing.T) {
	authority, cert := testAuthority(t, CertificateOptions{})
	tests := []struct {
		name      string
		behaviour Behaviour
		config    ListenConfig
		want      func(error) bool
	}{
		{"reset", Reset(), ListenConfig{}, isReset},
		{"reset below TLS", Reset(), ListenConfig{Certificate: &cert}, isReset},
		{"reset of a stream", Reset(), ListenConfig{Certificate: &cert, HTTP2: true}, mentions("INTERNAL_ERROR")},
		{"malformed", Malformed(), ListenConfig{}, mentions("malformed HTTP")},
		{"malformed in TLS", Malformed(), ListenConfig{Certificate: &cert}, mentions("malformed HTTP")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sim := New()
			sim.SetToken("token", tt.behaviour)
			c := startWith(t, sim, tt.config)
			c.trust(authority.PEM())
			if got := c.get("token"); !tt.want(got.err) {
				t.Errorf("status %d, error %v", got.status, got.err)
			}
		})
	}
}

func isReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }

func mentions(text string) func(error) bool {
	return func(err error) bool { return err != nil && strings.Contains(err.Error(), text) }
}

func TestLarge(t *testing.T) {
	const size = 1 << 20
	sim := New()
	sim.SetToken("token", Large(ExampleSession(), size))
	got := start(t, sim).get("token")
	if got.err != nil || got.status != http.StatusOK {
		t.Fatalf("status %d, error %v", got.status, got.err)
	}
	if n := len(got.body); n < size*99/100 || n > size*101/100 {
		t.Errorf("%d bytes, want about %d", n, size)
	}
	if !strings.HasSuffix(got.body, `"serviceMessages":["Password change required for built-in user account (operator)"]}}`) {
		t.Errorf("service messages are not last: …%s", got.body[len(got.body)-100:])
	}
	var payload struct {
		Data struct{ Assets, Sections, SharePermissions, Sources map[string]map[string]bool }
	}
	if err := json.Unmarshal([]byte(got.body), &payload); err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]bool)
	for _, m := range []map[string]map[string]bool{
		payload.Data.Assets, payload.Data.Sections, payload.Data.SharePermissions, payload.Data.Sources,
	} {
		for id := range m {
			ids[id] = true
		}
	}
	if want := size / int(bulkEntrySize) / len(bulkFields) * len(bulkFields); len(ids) != want {
		t.Errorf("%d different ids, want %d", len(ids), want)
	}
}

// The bulk is made while it is sent, whatever its size.
func TestLargeInConstantMemory(t *testing.T) {
	allocations := func(entries int64) float64 {
		b := &bulk{entries: entries}
		w := bufio.NewWriter(io.Discard)
		return testing.AllocsPerRun(5, func() { _ = b.write(w) })
	}
	if small, large := allocations(10), allocations(100_000); large > small {
		t.Errorf("%v allocations for many entries, %v for few", large, small)
	}
}

// Small sizes leave the maps empty, and valid.
func TestLargeOfNothing(t *testing.T) {
	var out bytes.Buffer
	w := bufio.NewWriter(&out)
	if err := (&bulk{}).write(w); err != nil {
		t.Fatal(err)
	}
	if _ = w.Flush(); out.String() != "{}" {
		t.Errorf("got %s, want {}", &out)
	}
}

func BenchmarkLarge(b *testing.B) {
	const size = 64 << 20
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		writePayload(io.Discard, []field{{name: "assets", bulk: &bulk{entries: size / bulkEntrySize}}})
	}
}
