package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"hmp_exporter/internal/exportertest"
)

// A browser is a Chromium with one tab. It fails the test if a page sends a request to another
// origin, or if the console has an error.
type browser struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // the handle of the tab

	mu           sync.Mutex
	problems     []string
	ignoreErrors bool // in the console
}

// otherHost is another name for this machine. A browser trusts it less than localhost.
const otherHost = "exporter.test"

// openBrowser starts a browser until the test ends.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	need(t, "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900),
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("host-resolver-rules", "MAP "+otherHost+" 127.0.0.1"),
	)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Minute)
	t.Cleanup(cancel)
	ctx, endBrowser := chromedp.NewExecAllocator(ctx, options...)
	ctx, endTab := chromedp.NewContext(ctx)
	b := &browser{t: t, ctx: ctx}
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil { // waits for the browser to end
			t.Errorf("the browser did not end well: %v", err)
		}
		endTab()
		endBrowser()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range b.problems {
			t.Errorf("the browser: %s", c)
		}
	})
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatalf("failed to start a browser: %v", err)
	}
	send(b, network.Enable, network.EnableParams{})
	send(b, log.Enable, cdp.Empty{})
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		own := err == nil && (u.Hostname() == "127.0.0.1" || u.Hostname() == otherHost || u.Scheme == "data" || u.Scheme == "about")
		if !own {
			b.problems = append(b.problems, "a request for "+e.Request.URL)
		}
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, fmt.Sprintf("an exception: %+v", e.ExceptionDetails))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !b.ignoreErrors {
			b.problems = append(b.problems, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

// ignoreConsole ignores errors in the console from now on.
func (b *browser) ignoreConsole() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ignoreErrors = true
}

// An action is an action of a person or the browser.
type action = chromedp.Action[chromedp.Void]

// run executes actions, which must succeed.
func (b *browser) run(actions ...action) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("the browser: %v", err)
	}
}

// send sends a command to the browser.
func send[P any](b *browser, command cdp.Command[P, cdp.Empty], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.t.Fatalf("the browser: %v", err)
	}
}

// open opens a page.
func (b *browser) open(address string) {
	b.t.Helper()
	b.run(chromedp.Navigate(address))
}

// eval evaluates an expression in the page.
func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("the browser evaluates %.100q: %v", expression, err)
	}
	return value
}

// exec executes statements in the page.
func (b *browser) exec(statements string) {
	b.t.Helper()
	b.run(chromedp.Evaluate[chromedp.Void](statements))
}

// waitFor waits until an expression is true in the page.
func (b *browser) waitFor(what, expression string) {
	b.t.Helper()
	exportertest.Eventually(b.t, what, func() error {
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+expression+")")); err != nil || !ok {
			return fmt.Errorf("it is not true (%w)", err)
		}
		return nil
	})
}

// click clicks on an element.
func click(selector chromedp.CSS) action { return chromedp.Click(selector) }

// choose chooses an option.
func choose(selector chromedp.CSS, option string) action { return chromedp.SetValue(selector, option) }

// enter types a text into a field, and the key Enter.
func enter(selector chromedp.CSS, text string) action {
	return chromedp.SendKeys(selector, text+kb.Enter)
}

// follow executes actions that lead to another page, and waits for that page.
func (b *browser) follow(actions ...action) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, actions...); err != nil {
		b.t.Fatalf("the browser: %v", err)
	}
}

// resize gives the window the size of a device.
func (b *browser) resize(width, height int64) {
	b.t.Helper()
	send(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600,
	})
}

// scheme sets the preferred color scheme: light or dark.
func (b *browser) scheme(name string) {
	b.t.Helper()
	send(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
}

// accessibilityProblems returns what axe finds on the page.
func (b *browser) accessibilityProblems() (list []string) {
	b.t.Helper()
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if errors.Is(err, fs.ErrNotExist) {
		exportertest.LeaveOut(b.t, "axe-core is missing; npm installs it")
	}
	if err != nil {
		b.t.Fatal(err)
	}
	var found []struct {
		ID, Help string
		Nodes    []struct{ HTML, FailureSummary string }
	}
	b.exec(string(axe) + "; undefined")
	report := eval[string](b, `axe.run().then((report) => JSON.stringify(report.violations))`)
	if err := json.Unmarshal([]byte(report), &found); err != nil {
		b.t.Fatal(err)
	}
	for _, f := range found {
		n := f.Nodes[0]
		list = append(list, fmt.Sprintf("%s, %d times: %s: %s: %s", f.ID, len(f.Nodes), f.Help, n.HTML, n.FailureSummary))
	}
	return list
}

// A row is a session on the status page.
type row struct{ Name, Result, Text string }

// rows returns the sessions on the page in their order.
func (b *browser) rows() []row {
	b.t.Helper()
	return eval[[]row](b, `[...document.querySelectorAll("tr[data-key]")].map((row) => ({
		Name: row.dataset.key,
		Result: row.querySelector(".result").textContent,
		Text: row.textContent.replace(/\s+/g, " "),
	}))`)
}

// names returns the names of the sessions on the page.
func (b *browser) names() string {
	b.t.Helper()
	var names []string
	for _, r := range b.rows() {
		names = append(names, r.Name)
	}
	return strings.Join(names, " ")
}
