// Package demo simulates HMPs on loopback, and the configuration of an exporter that watches
// them. Its sessions show every result that an HMP can cause.
package demo

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hmp_exporter/config"
	"hmp_exporter/internal/hmpsim"
)

// A Demo is a set of running HMPs and the configuration of their sessions.
type Demo struct {
	ca         string // in PEM
	targets    []target
	hmps       map[string]*hmpsim.Server // by target
	listenings []*hmpsim.Listening

	stop         context.CancelFunc
	regenerating sync.WaitGroup
	secretNumber atomic.Int32 // in the configuration, counts the secrets of the regenerated key
	loadedNumber atomic.Int32 // secretNumber at the last Load
}

// Start starts the HMPs.
func Start() (*Demo, error) {
	ctx, stop := context.WithCancel(context.Background())
	d := &Demo{targets: targets(time.Now()), hmps: make(map[string]*hmpsim.Server), stop: stop}
	d.secretNumber.Store(1)
	if err := d.listen(); err != nil {
		d.Close()
		return nil, fmt.Errorf("failed to start the demo: %w", err)
	}
	d.regenerating.Go(func() { d.regenerate(ctx) })
	return d, nil
}

// listen serves every HMP at an address of its own.
func (d *Demo) listen() error {
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		return err
	}
	d.ca = string(authority.PEM())
	for i := range d.targets {
		t := &d.targets[i]
		if t.url != "" {
			continue // no HMP
		}
		certificate, err := authority.Certificate(t.certificate)
		if err != nil {
			return err
		}
		hmp := t.simulate()
		l, err := hmp.Start(hmpsim.ListenConfig{Certificate: &certificate})
		if err != nil {
			return err
		}
		d.hmps[t.name], d.listenings, t.url = hmp, append(d.listenings, l), l.URL
	}
	return nil
}

// Close stops the HMPs.
func (d *Demo) Close() {
	d.stop()
	d.regenerating.Wait()
	for _, l := range d.listenings {
		l.Close()
	}
}

// Describe returns a list of the sessions: the name, the result, and what happens.
func (d *Demo) Describe() string {
	var b strings.Builder
	n := 0
	for _, t := range d.targets {
		n += len(t.sessions)
		for _, s := range t.sessions {
			fmt.Fprintf(&b, "\n  %-21s %-17s %s", t.name+"/"+s.name, cmp.Or(s.result, "changes"), s.description)
		}
	}
	hmps := len(d.listenings)
	return fmt.Sprintf("The demo has %d sessions on %d targets: %d simulated HMPs, and %d addresses without an HMP.\n%s\n",
		n, len(d.targets), hmps, len(d.targets)-hmps, b.String())
}

// Load returns the current configuration.
func (d *Demo) Load() (*config.Config, error) {
	n := d.secretNumber.Load()
	d.loadedNumber.Store(n)
	return config.Parse("demo", []byte(d.text(int(n))))
}

// Changed reports whether the configuration has changed since the last Load.
func (d *Demo) Changed(context.Context) bool { return d.secretNumber.Load() != d.loadedNumber.Load() }

// text returns the configuration with the n-th secret of the regenerated key. Names and URLs
// need no quotes.
func (d *Demo) text(n int) string {
	var b strings.Builder
	b.WriteString("global: {timeout: 5s}\ntargets:\n")
	for _, t := range d.targets {
		fmt.Fprintf(&b, "  - name: %s\n    url: %s\n    tls_config: {ca: %q}\n    %s\n    sessions:\n", t.name, t.url, d.ca, t.settings)
		for _, s := range t.sessions {
			secret := s.secret(1)
			if s.name == regenerated {
				secret = s.secret(n)
			}
			credential := map[string]string{
				"token": "token: " + s.token(),
				"key":   "api_key: " + s.token() + ", api_secret: " + secret,
				"":      "token_file: /nonexistent",
			}[s.kind]
			fmt.Fprintf(&b, "      - {name: %s, %s}\n", s.name, credential)
		}
	}
	return b.String()
}

// regenerated is the session whose key gets another secret every 15 minutes.
const regenerated = "tickets"

// regenerate changes the secret: first in HMP, where the tokens of the key end too, and two
// minutes later in the configuration. The exporter makes no more than five logins an hour
// that HMP rejects, and this causes four.
func (d *Demo) regenerate(ctx context.Context) {
	minutes := time.NewTicker(time.Minute)
	defer minutes.Stop()
	n := 1
	for minute := 1; ; minute++ {
		select {
		case <-ctx.Done():
			return
		case <-minutes.C:
		}
		switch minute % 15 {
		case 3:
			n++
			arena, tickets := d.hmps["arena"], session{name: regenerated}
			arena.RegenerateKey(tickets.token(), tickets.secret(n))
			arena.RevokeTokens(tickets.token())
		case 5:
			d.secretNumber.Store(int32(n))
		}
	}
}
