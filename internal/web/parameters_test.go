package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestProbeParameters is that only what is configured can be probed: a token goes
// along with every probe.
func TestProbeParameters(t *testing.T) {
	r := newRig(t, fleet)
	long := strings.Repeat("a", 100<<10)
	wide := url.QueryEscape(strings.Repeat("\U0001f4fa", 20<<10))
	const (
		bad     = http.StatusBadRequest
		unknown = http.StatusNotFound
		hint    = ": only what is configured can be probed; /config shows it\n"
	)
	for _, c := range []struct {
		name, query string
		status      int
		body        string // the whole of it; "" for any
	}{
		{"nothing", "", bad, "parameter target is missing: name a configured target, as in /probe?target=studio\n"},
		{"session only", "session=playout", bad, "parameter target is missing: name a configured target, as in /probe?target=studio\n"},
		{"name in capitals", "Target=studio", bad, "parameter target is missing: name a configured target, as in /probe?target=studio\n"},
		{"empty target", "target=", bad, "parameter target is empty: name a configured target\n"},
		{"target without value", "target", bad, "parameter target is empty: name a configured target\n"},
		{"empty session", "target=studio&session=", bad, "parameter session is empty: name a configured session\n"},
		{"both empty", "session=&target=", bad, "parameter target is empty: name a configured target\n"},
		{"two targets", "target=studio&target=tower", bad, "parameter target is given 2 times: give it once\n"},
		{"the same target twice", "target=studio&target=studio", bad, "parameter target is given 2 times: give it once\n"},
		{"three sessions", "target=studio&session=a&session=b&session=", bad, "parameter session is given 3 times: give it once\n"},
		{"unknown target", "target=attic", unknown, `unknown target "attic"` + hint},
		{"unknown session", "target=studio&session=live", unknown, `unknown session "live" of target "studio"` + hint},
		{"session of another target", "target=studio&session=relay", unknown, `unknown session "relay" of target "studio"` + hint},
		{"other case", "target=Studio", unknown, `unknown target "Studio"` + hint},
		{"space around", "target=%20studio%20", unknown, `unknown target " studio "` + hint},
		{"URL", "target=" + r.hmp.URL, unknown, `unknown target "` + r.hmp.URL + `"` + hint},
		{"URL with a password", "target=http://me:pass@127.0.0.1", unknown, `unknown target "http://me:pass@127.0.0.1"` + hint},
		{"host and port", "target=127.0.0.1:80", unknown, `unknown target "127.0.0.1:80"` + hint},
		{"path", "target=../../etc/passwd", unknown, `unknown target "../../etc/passwd"` + hint},
		{"prefix of a name", "target=stud", unknown, `unknown target "stud"` + hint},
		{"NUL", "target=studio%00", unknown, `unknown target "studio\x00"` + hint},
		{"line break", "target=a%0d%0aSet-Cookie:%20b", unknown, `unknown target "a\r\nSet-Cookie: b"` + hint},
		{"not UTF-8", "target=%ff%fe", unknown, `unknown target "\xff\xfe"` + hint},
		{"encoded twice", "target=%2573tudio", unknown, `unknown target "%73tudio"` + hint},
		{"markup", "target=%3Cscript%3Ealert(1)%3C/script%3E", unknown, `unknown target "<script>alert(1)</script>"` + hint},
		{"markup in the session", "target=studio&session=%3Cimg+src=x%3E", unknown, `unknown session "<img src=x>" of target "studio"` + hint},
		{"broken escape in the target", "target=%zz", bad, "the parameters are malformed: invalid URL escape \"%zz\"\n"},
		{"broken escape in the session", "target=studio&session=%zz", bad, "the parameters are malformed: invalid URL escape \"%zz\"\n"},
		{"semicolon", "target=studio;session=playout", bad, "the parameters are malformed: invalid semicolon separator in query\n"},
		{"semicolon in the session", "target=studio&session=a;b", bad, "the parameters are malformed: invalid semicolon separator in query\n"},
		{"100 kB target", "target=" + long, unknown, `unknown target "` + long[:100] + `"` + hint},
		{"100 kB session", "target=studio&session=" + long, unknown, `unknown session "` + long[:100] + `" of target "studio"` + hint},
		{"100 kB of wide characters", "target=" + wide, unknown, ""},
		{"100 kB of another parameter", long + "=" + long, bad, ""},
		{"1000 targets", strings.Repeat("target=a&", 1000), bad, "parameter target is given 1000 times: give it once\n"},
		{"100000 targets", strings.Repeat("target=a&", 100_000), bad, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := r.get("/probe?" + c.query)
			got.want(t, c.status)
			if c.body != "" && got.body != c.body {
				t.Errorf("got  %.600q,\nwant %.600q", got.body, c.body)
			}
			if len(got.body) > 1000 {
				t.Errorf("the answer is %d bytes long", len(got.body))
			}
			if got := got.header.Get("Content-Type"); got != textType {
				t.Errorf("Content-Type %q, want %q", got, textType)
			}
			if got := got.header.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options %q, want nosniff", got)
			}
			if cookie := got.header.Get("Set-Cookie"); cookie != "" {
				t.Errorf("a parameter has made a header: Set-Cookie: %s", cookie)
			}
		})
	}
	if n := r.probed(); n != 0 {
		t.Errorf("the HMP had %d requests, want none", n)
	}
}

// TestProbeEncodedParameters is that an escape that is of no need does no harm.
func TestProbeEncodedParameters(t *testing.T) {
	r := newRig(t, fleet)
	r.get("/probe?target=%73tudio&session=play%6Fut").want(t, http.StatusOK, playout)
}
