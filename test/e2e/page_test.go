package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"hmp_exporter/internal/canary"
)

// startDemo starts the demo, scrapes it once, and returns its URL. It does not probe by itself.
func startDemo(t *testing.T) string {
	t.Helper()
	demo := startExporter(t, "demo", "--probe.interval=0s")
	get(t, demo.URL+"/metrics")
	return demo.URL
}

// TestPageFilter uses the form and the links that find sessions, with mouse and keyboard.
func TestPageFilter(t *testing.T) {
	t.Parallel()
	address := startDemo(t)
	b := openBrowser(t)
	b.open(address)
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

	// The first link of the keyboard leads to the sessions.
	b.open(address)
	b.run(chromedp.KeyEvent(kb.Tab))
	if got := eval[string](b, `document.activeElement.textContent`); got != "Skip to the sessions" {
		t.Errorf("the keyboard begins at %q", got)
	}
	b.run(chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab))
	if !eval[bool](b, `document.querySelector("main").contains(document.activeElement)`) {
		t.Error("the link does not lead to the sessions")
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

// TestPageProbesNow uses the buttons that probe a session, a target and everything. From a
// host that a browser does not trust, it sends fewer headers with a form.
func TestPageProbesNow(t *testing.T) {
	t.Parallel()
	demo := startExporter(t, "demo", "--probe.interval=0s")
	address := strings.Replace(demo.URL, "127.0.0.1", otherHost, 1)
	b := openBrowser(t)
	b.open(address)
	if got := eval[string](b, `document.querySelector("main .notice").textContent`); !strings.Contains(got, "No probe has been made yet") {
		t.Errorf("before a probe, the page says %q", got)
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
				t.Errorf("the page of the session lacks %q:\n%s", part, shown)
			}
		}
		if got := eval[int](b, `document.querySelectorAll("details").length`); got != probes {
			t.Errorf("the page shows %d probes, want %d", got, probes)
		}
		b.follow(click(`button.main`))
	}
	b.open(address + "/?target=archive")
	b.follow(click(`.target button`))
	for _, row := range b.rows() {
		if row.Result == "not_probed" || !strings.HasPrefix(row.Name, "archive/") {
			t.Errorf("after a probe of archive the page shows %+v", row)
		}
	}
	b.open(address)
	b.follow(click(`form[action="probe-all"] button`))
	for _, row := range b.rows() {
		if row.Result == "not_probed" {
			t.Errorf("after a probe of everything the page shows %+v", row)
		}
	}
}

// TestPageWithoutScript checks that the page works without JavaScript.
func TestPageWithoutScript(t *testing.T) {
	t.Parallel()
	address := startDemo(t)
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
		t.Errorf("the page shows %d probes, want 2", got)
	}
}

// TestPageAccessibility checks the pages with axe, in light and dark, and on a phone.
func TestPageAccessibility(t *testing.T) {
	t.Parallel()
	address := startDemo(t)
	b := openBrowser(t)
	for _, path := range []string{
		"/", "/?target=studio&sort=name", "/?q=nothing-like-it", "/session?target=studio&session=playout", "/session?target=arena&session=merchandise",
		"/session?target=campus&session=guests", // the longest name of a result
		"/runbook",
	} {
		for scheme, width := range map[string]int64{"light": 1280, "dark": 360} {
			b.scheme(scheme)
			b.resize(width, 800)
			b.open(address + path)
			b.exec(`for (const d of document.querySelectorAll("details")) d.open = true`)
			for _, problem := range b.accessibilityProblems() {
				t.Errorf("%s, %s, width %d: %s", path, scheme, width, problem)
			}
			if got := eval[int64](b, `document.documentElement.scrollWidth`); got > width {
				t.Errorf("%s has the width %d on a screen of %d", path, got, width)
			}
		}
	}
}

// TestPageReloads checks that an open page shows the first session of a configuration, and that it
// does not hide the login page of a proxy.
func TestPageReloads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	exporter := startExporter(t, "--web.enable-lifecycle", "--config.file="+write(t, dir, "hmp.yml", "target_files: ['*.targets']\n"))
	upstream, err := url.Parse(exporter.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(upstream)
	var loggedOut atomic.Bool
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if loggedOut.Load() {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<!doctype html><title>Log in</title>")
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	b := openBrowser(t)
	b.open(proxy.URL)
	write(t, dir, "hmp.yml", fmt.Sprintf(changingConfig, ""))
	resp, err := http.Post(exporter.URL+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	b.waitFor("the first session to appear", `document.querySelector('tr[data-key="studio/playout"]') && document.querySelector('form[action="probe-all"]')`)
	loggedOut.Store(true)
	b.waitFor("the login page to appear", `document.title === "Log in" && !document.querySelector("main")`)
}

// The result of the session changes when its token file appears. Nobody listens at the URL.
const changingConfig = `
targets:
  - name: studio
    url: http://127.0.0.1:1
    sessions:
      - {name: playout, token_file: playout.token}
%s`

// TestPageUpdates checks that an open page shows new results and does not disturb its reader.
func TestPageUpdates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var others strings.Builder
	for i := range 40 {
		fmt.Fprintf(&others, "      - {name: rest-%d, token_file: none}\n", i)
	}
	exporter := startExporter(t, "--config.file="+write(t, dir, "hmp.yml", fmt.Sprintf(changingConfig, others.String())))
	get(t, exporter.URL+"/metrics")

	detail, list, left := openBrowser(t), openBrowser(t), openBrowser(t)
	left.open(exporter.URL + "/?result=credentials")
	list.open(exporter.URL + "/?sort=name")
	const row = `document.querySelector('tr[data-key="studio/playout"]')`
	list.exec(`{
		const input = document.querySelector("input[name=q]");
		input.value = "half a na";
		input.focus();
		scrollTo(0, 300);
		window.same = ` + row + `;
	}`)
	detail.open(exporter.URL + "/session?target=studio&session=playout")
	detail.exec(`{
		const first = document.querySelector("details");
		first.open = false;
		window.first = first;
		document.querySelector("button.main").focus();
	}`)

	write(t, dir, "playout.token", canary.Word+"\n")
	get(t, exporter.URL+"/metrics")
	list.waitFor("the list to show the change", row+`.dataset.result === "connect"`)
	list.waitFor("the change to be announced", `document.getElementById("news").textContent === "studio/playout: credentials, now connect"`)
	if !eval[bool](list, row+` === window.same && scrollY === 300 && document.activeElement.name === "q" && document.activeElement.value === "half a na"`) {
		t.Error("the position, the focus or the typed text is lost")
	}
	if title := eval[string](list, `document.title`); !strings.HasPrefix(title, "41 of 41 not valid") {
		t.Errorf("the title is %q", title)
	}
	left.waitFor("the session to leave the list of its old result", `document.querySelectorAll("tr[data-key]").length === 40 && !`+row)
	detail.waitFor("the page of the session to show the change", `document.querySelector("h1 .result").textContent === "connect"`)
	if !eval[bool](detail, `window.first.isConnected && !window.first.open && document.querySelectorAll("details").length === 2 && document.activeElement.matches("button.main")`) {
		t.Error("closed details are open or gone, or the focus is lost")
	}

	for _, b := range []*browser{list, left, detail} {
		b.ignoreConsole()
	}
	exporter.stop(t)
	list.waitFor("the page to say that the exporter cannot be reached", `!document.getElementById("offline").hidden && document.getElementById("offline").textContent.startsWith("The exporter cannot be reached. ")`)
	if got := list.rows(); len(got) != 41 {
		t.Errorf("the page shows %d sessions, want the 41 that it had", len(got))
	}
}
