package hmpsim

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// DemoOptions change the demo; the zero value is the demo that users see.
type DemoOptions struct {
	// Speed is how much faster than real time the story goes; 0 is 1. It
	// changes when things happen, not how long an answer takes.
	Speed float64
	// Report is told of a file that could not be written while the demo
	// runs, without a secret; nil ignores it. It may be called at any time.
	Report func(error)
}

// A Demo is a fleet of simulated HMPs on loopback and the configuration of an
// exporter that watches them.
type Demo struct {
	dir        string
	report     func(error)
	clock      demoClock // one for all, so that the stories stay in step
	fleet      []demoTarget
	listenings []*Listening

	stop    context.CancelFunc // ends what is running
	running sync.WaitGroup
}

// A DemoSession is one session of the demo and what is to be seen of it.
type DemoSession struct {
	Target, Session string
	// Result is the result of every probe, or "" if it changes with time.
	Result string
	// First is the result of a probe within the first seconds.
	First string
	// What is the session's story in a few words.
	What string
}

// StartDemo starts the HMPs and writes into dir, which must exist, what a user
// of the exporter would have: hmp.yml, ca.pem, and for each session a file with
// its token or two with its key and secret. Secrets are replaced while the demo
// runs. The files are the caller's to remove, once the demo is closed.
func StartDemo(dir string, o DemoOptions) (*Demo, error) {
	ctx, stop := context.WithCancel(context.Background())
	d := &Demo{dir: dir, report: o.Report, clock: newDemoClock(cmp.Or(o.Speed, 1)), stop: stop}
	if d.report == nil {
		d.report = func(error) {}
	}
	if err := d.start(ctx); err != nil {
		d.Close()
		return nil, fmt.Errorf("failed to start the demo: %w", err)
	}
	return d, nil
}

// ConfigFile returns the path of the exporter's configuration.
func (d *Demo) ConfigFile() string { return filepath.Join(d.dir, "hmp.yml") }

// Size says how many sessions, targets and HMPs there are.
func (d *Demo) Size() string {
	hmps := len(d.listenings)
	return fmt.Sprintf("The demo has %d sessions on %d targets: %d simulated HMPs, and %d addresses where no HMP is",
		len(d.Sessions()), len(d.fleet), hmps, len(d.fleet)-hmps)
}

// Close stops the HMPs and all that happens to them, and waits for the end.
func (d *Demo) Close() {
	d.stop()
	d.running.Wait()
	for _, l := range d.listenings {
		l.Close()
	}
}

// Sessions returns the sessions in the order of the configuration.
func (d *Demo) Sessions() []DemoSession {
	var sessions []DemoSession
	for _, t := range d.fleet {
		for _, s := range t.sessions {
			sessions = append(sessions, DemoSession{
				Target:  t.name,
				Session: s.name,
				Result:  s.result,
				First:   cmp.Or(s.result, "valid"),
				What:    s.what,
			})
		}
	}
	return sessions
}

// Story returns the sessions and their stories as lines of a table.
func (d *Demo) Story() []string {
	var lines []string
	for _, s := range d.Sessions() {
		lines = append(lines, fmt.Sprintf("%-21s %-17s %s",
			s.Target+"/"+s.Session, cmp.Or(s.Result, "changes"), s.What))
	}
	return lines
}

// start starts everything; what goes on ends with ctx.
func (d *Demo) start(ctx context.Context) error {
	authority, err := NewAuthority()
	if err != nil {
		return err
	}
	d.fleet = demoFleet(d.clock.start)
	for i := range d.fleet {
		t := &d.fleet[i]
		if t.url != "" {
			continue // no HMP
		}
		cert, err := authority.Certificate(t.certificate)
		if err != nil {
			return err
		}
		if err := d.listen(t, &cert); err != nil {
			return fmt.Errorf("target %s: %w", t.name, err)
		}
	}
	if err := writeDemo(d.dir, authority.PEM(), d.fleet); err != nil {
		return err
	}
	d.startRegenerations(ctx)
	return nil
}

// listen serves a target and fills in its server and URL.
func (d *Demo) listen(t *demoTarget, cert *tls.Certificate) error {
	t.server = t.newServer(d.clock.now)
	l, err := t.server.Start(ListenConfig{Certificate: cert})
	if err != nil {
		return err
	}
	d.listenings = append(d.listenings, l)
	t.url = l.URL
	return nil
}

// A demoClock runs from its start on, speed times as fast as real time.
type demoClock struct {
	start time.Time
	speed float64
}

func newDemoClock(speed float64) demoClock {
	return demoClock{start: time.Now(), speed: speed}
}

func (c demoClock) now() time.Time {
	return c.start.Add(time.Duration(float64(time.Since(c.start)) * c.speed))
}

// until is how long it really takes until the clock shows t.
func (c demoClock) until(t time.Time) time.Duration {
	return time.Duration(float64(t.Sub(c.now())) / c.speed)
}
