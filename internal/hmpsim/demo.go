package hmpsim

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"
)

// DemoOptions change the demo; the zero value is the demo that users see.
type DemoOptions struct {
	// Speed is how much faster than real time the story goes; 0 is 1. It
	// changes when things happen, not how long an answer takes.
	Speed float64
	// ErrorLog is passed on to [ListenConfig].
	ErrorLog *log.Logger
}

// A Demo is a fleet of simulated HMPs on loopback and the configuration of an
// exporter that watches them.
type Demo struct {
	dir        string
	fleet      []demoTarget
	listenings []*Listening
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
// of the exporter would have: hmp.yml, ca.pem, and a token file per session. The
// files are the caller's to remove.
func StartDemo(dir string, o DemoOptions) (*Demo, error) {
	d := &Demo{dir: dir}
	if err := d.start(o); err != nil {
		d.Close()
		return nil, fmt.Errorf("failed to start the demo: %w", err)
	}
	return d, nil
}

// ConfigFile returns the path of the exporter's configuration.
func (d *Demo) ConfigFile() string { return filepath.Join(d.dir, "hmp.yml") }

// Close stops the HMPs.
func (d *Demo) Close() {
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

func (d *Demo) start(o DemoOptions) error {
	authority, err := NewAuthority()
	if err != nil {
		return err
	}
	// One clock for all, so that the stories of the targets stay in step.
	clock := fastClock(cmp.Or(o.Speed, 1))
	d.fleet = demoFleet(clock())
	for i := range d.fleet {
		t := &d.fleet[i]
		if t.url != "" {
			continue // no HMP
		}
		cert, err := authority.Certificate(t.certificate)
		if err != nil {
			return err
		}
		if err := d.listen(t, clock, &cert, o.ErrorLog); err != nil {
			return fmt.Errorf("target %s: %w", t.name, err)
		}
	}
	return writeDemo(d.dir, authority.PEM(), d.fleet)
}

// listen serves a target and fills in its URL.
func (d *Demo) listen(t *demoTarget, clock func() time.Time, cert *tls.Certificate, errorLog *log.Logger) error {
	server := New(WithClock(clock))
	for _, s := range t.sessions {
		if s.behaviour != nil {
			server.SetToken(t.token(s), s.behaviour)
		}
	}
	l, err := server.Start(ListenConfig{Certificate: cert, ErrorLog: errorLog})
	if err != nil {
		return err
	}
	d.listenings = append(d.listenings, l)
	t.url = l.URL
	return nil
}

// fastClock runs from now on, speed times as fast as real time.
func fastClock(speed float64) func() time.Time {
	start := time.Now()
	return func() time.Time {
		return start.Add(time.Duration(float64(time.Since(start)) * speed))
	}
}

// writeDemo writes the files of the demo. Tokens are written as a careful user
// would, readable by nobody else.
func writeDemo(dir string, ca []byte, fleet []demoTarget) error {
	if err := os.MkdirAll(filepath.Join(dir, "tokens"), 0o700); err != nil {
		return err
	}
	for _, t := range fleet {
		for _, s := range t.sessions {
			if s.noToken {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, t.tokenFile(s)), []byte(t.token(s)+"\n"), 0o600); err != nil {
				return err
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "hmp.yml"), demoConfig(fleet), 0o600)
}
