package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"hmp_exporter/internal/hmp"
)

// startDemo starts the demo, which does not probe by itself, and returns it and its address, after a scrape of all
// sessions.
func startDemo(t *testing.T) (*process, string) {
	t.Helper()
	demo := start(t, command(t, exporterBinary, "demo", "--probe.interval=0s", "--web.listen-address=127.0.0.1:0"))
	address := demo.url(t)
	get(t, address+"/metrics", nil)
	return demo, address
}

// TestPageShowsDemo is that every session of the demo is there with its result, and with what the program knows to do
// about that.
func TestPageShowsDemo(t *testing.T) {
	t.Parallel()
	demo, address := startDemo(t)
	b := openBrowser(t)
	b.open(address)
	shown := make(map[string]shownRow)
	for _, row := range b.rows() {
		shown[row.Name] = row
	}
	stories := regexp.MustCompile(`(?m)^ {2}(\S+/\S+) +([a-z_]+) {2}`).FindAllStringSubmatch(demo.output.String(), -1)
	if len(stories) < 20 || len(stories) != len(shown) {
		t.Fatalf("the demo tells of %d sessions, and the page shows %d", len(stories), len(shown))
	}
	for _, s := range stories {
		name, want := s[1], s[2]
		row := shown[name]
		if want == "changes" {
			want = row.Result
		}
		info := hmp.Result(want).Info()
		meaning, advice := info.Meaning[1:], info.Advice // the first letter is a capital on the page
		if row.Result != want || !strings.Contains(row.Text, meaning) || want != "valid" && !strings.Contains(row.Text, advice) {
			t.Errorf("%s: want %s, %q and %q, and got %+v", name, want, meaning, advice, row)
		}
	}
}

// TestPageFilter is the form and the links by which a person finds sessions, with the mouse and with the keyboard.
func TestPageFilter(t *testing.T) {
	t.Parallel()
	_, address := startDemo(t)
	b := openBrowser(t)
	b.open(address)
	b.follow(enter("input[name=q]", "ARENA/t"))
	if got := b.names(); got != "arena/tickets" {
		t.Errorf("a part of a name finds %q", got)
	}
	b.follow(click(`.reset`))
	b.follow(
		choose(`select[name=target]`, "studio"), choose(`select[name=result]`, "problems"),
		choose(`select[name=sort]`, "name"), click(`.filter button`),
	)
	if got := b.names(); got != "studio/retired studio/visitor" {
		t.Errorf("the problems of a target are %q", got)
	}
	b.open(address)
	if first := b.rows()[0]; first.Result == "valid" {
		t.Errorf("problems are not first: %+v", first)
	}
	b.follow(click(`a.tile.r-dns`))
	if got := b.names(); got != "unknown-host/playout" {
		t.Errorf("a count leads to %q", got)
	}

	// The first stops of the keyboard: the link that skips what is above, and with it the sessions.
	b.open(address)
	b.run(chromedp.KeyEvent(kb.Tab))
	if got := eval[string](b, `document.activeElement.textContent`); got != "Skip to the sessions" {
		t.Errorf("the first stop is %q", got)
	}
	b.run(chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab))
	if !eval[bool](b, `document.querySelector("main").contains(document.activeElement)`) {
		t.Error("the link does not skip what is above the sessions")
	}
	for range 100 {
		if eval[bool](b, `document.activeElement.matches("tbody th a")`) {
			break
		}
		b.run(chromedp.KeyEvent(kb.Tab))
	}
	b.follow(chromedp.KeyEvent(kb.Enter))
	if got := eval[string](b, `location.pathname`); got != "/session" {
		t.Errorf("the keyboard leads to %q", got)
	}
}

// TestPageProbesNow is the button that probes, from the page of a session and for all of a target. The host is none that a
// browser trusts, which then says less of where a form is from.
func TestPageProbesNow(t *testing.T) {
	t.Parallel()
	demo := start(t, command(t, exporterBinary, "demo", "--probe.interval=0s", "--web.listen-address=127.0.0.1:0"))
	address := strings.Replace(demo.url(t), "127.0.0.1", hostOfPage, 1)
	b := openBrowser(t)
	b.open(address)
	if got := eval[string](b, `document.querySelector("main .notice").textContent`); !strings.Contains(got, "No probe has been made yet") {
		t.Errorf("before any probe, the page says %q", got)
	}
	b.follow(click(`tr[data-key="studio/visitor"] button`))
	const page = "/session?target=studio&session=visitor"
	for probes := 1; probes <= 2; probes++ {
		if got := eval[string](b, `location.pathname + location.search`); got != page {
			t.Fatalf("the button leads to %q", got)
		}
		shown := eval[string](b, `document.querySelector("main").innerText`)
		for _, part := range []string{"no_roles", "Assign a role to the user in HMP.", "just now", "GET → HTTP/1.1 401", "Authorization", "hidden", "020001 UserNotAuthorized"} {
			if !strings.Contains(shown, part) {
				t.Errorf("%q is not on the page of the session:\n%s", part, shown)
			}
		}
		if got := eval[int](b, `document.querySelectorAll("details").length`); got != probes {
			t.Errorf("there are %d probes in detail, want %d", got, probes)
		}
		b.follow(click(`button.main`))
	}
	b.open(address + "/?target=archive")
	b.follow(click(`.target button`))
	for _, row := range b.rows() {
		if row.Result == "pending" || !strings.HasPrefix(row.Name, "archive/") {
			t.Errorf("after a probe of all of archive there is %+v", row)
		}
	}
	b.open(address)
	b.follow(click(`form[action="probe-all"] button`))
	for _, row := range b.rows() {
		if row.Result == "pending" {
			t.Errorf("after a probe of all there is %+v", row)
		}
	}
}

// TestPageWithoutScript is that all of it works in a browser that runs none.
func TestPageWithoutScript(t *testing.T) {
	t.Parallel()
	_, address := startDemo(t)
	b := openBrowser(t)
	send(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.open(address)
	if eval[bool](b, `!document.querySelector(".scripted").hidden`) {
		t.Fatal("the script runs")
	}
	b.follow(enter("input[name=q]", "visitor"))
	if got := b.names(); got != "studio/visitor" {
		t.Errorf("the filter finds %q", got)
	}
	b.follow(click(`tr[data-key] button`))
	if got := eval[int](b, `document.querySelectorAll("details").length`); got != 2 {
		t.Errorf("there are %d probes in detail, want 2", got)
	}
}

// TestPageForEverybody is that nothing on the pages is a barrier, in light and in dark, and that they fit a phone.
func TestPageForEverybody(t *testing.T) {
	t.Parallel()
	_, address := startDemo(t)
	b := openBrowser(t)
	for _, path := range []string{
		"/", "/?target=studio&sort=name", "/?q=nothing-like-it", "/session?target=studio&session=playout", "/session?target=arena&session=merchandise",
		"/session?target=campus&session=guests", // whose result has the longest name
		"/runbook",
	} {
		for scheme, width := range map[string]int64{"light": 1280, "dark": 360} {
			b.scheme(scheme)
			b.resize(width, 800)
			b.open(address + path)
			b.exec(`for (const d of document.querySelectorAll("details")) d.open = true`)
			for _, barrier := range b.barriers() {
				t.Errorf("%s, %s, %d wide: %s", path, scheme, width, barrier)
			}
			if got := eval[int64](b, `document.documentElement.scrollWidth`); got > width {
				t.Errorf("%s is %d wide on a screen of %d", path, got, width)
			}
		}
	}
}
