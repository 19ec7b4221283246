package hmpsim

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"
)

// shortLifetime is the configuration of an HMP whose tokens live a minute.
const shortLifetime = "token_lifetime: 1m # not the 30m of a real HMP, so that renewals can be watched"

// arenaSessions are about logins with an API key, on an HMP whose tokens live so
// briefly that each minute needs a new one.
func arenaSessions(now time.Time) []demoSession {
	return []demoSession{
		{
			name: "scoreboard", logsIn: true, result: "valid", what: "its token lives a minute and is renewed in time",
			behaviour: Valid(demoUser(now, "scoreboard")),
		},
		{
			name: "tickets", logsIn: true,
			what:      "login_rejected from minute 3 to 5 of 15: its key is regenerated, its file follows",
			behaviour: Valid(demoUser(now, "tickets")),
			// Two minutes in fifteen, because an exporter pauses for two after
			// the first login that is rejected, and makes no more than five
			// such logins an hour: this is one in each period, four an hour.
			regeneration: &regeneration{every: 15 * time.Minute, inHMP: 3 * time.Minute, inFile: 5 * time.Minute},
		},
		{
			name: "merchandise", logsIn: true, result: "login_rejected",
			what:      "its secret is wrong: logins are suspended for longer and longer",
			behaviour: InvalidCredentials(),
		},
		{
			name: "volunteers", logsIn: true, result: "no_roles",
			what:      "the user of its key has no role: logins wait half a minute up to five",
			behaviour: NoRoles(),
		},
	}
}

// gallerySessions are about a token that each answer replaces.
func gallerySessions(now time.Time) []demoSession {
	return []demoSession{{
		name: "exhibits", logsIn: true, result: "valid",
		what:      "each answer brings the next token: scraped twice a minute, it logs in once",
		behaviour: Valid(demoUser(now, "exhibits")),
	}}
}

// harbourSessions are about tokens that the HMP ends with a 403, and about one that
// outlives failed logins.
func harbourSessions(now time.Time) []demoSession {
	return []demoSession{
		{
			name: "ferries", logsIn: true, result: "valid",
			what:      "a 403 ends its token after 40 s: the same probe logs in and asks again",
			behaviour: forbidAfter(40*time.Second, Valid(demoUser(now, "ferries"))),
		},
		{
			name: "lighthouse", logsIn: true, result: "valid",
			what: "its renewals are answered 503 from minute 2 to 8 of 10: its token still lives",
			behaviour: PerMethod(Valid(demoUser(now, "lighthouse")), Timeline(
				Step{For: 2 * time.Minute, Do: Valid(demoUser(now, "lighthouse"))},
				Step{For: 6 * time.Minute, Do: AuthUnavailable()},
				Step{For: 2 * time.Minute, Do: Valid(demoUser(now, "lighthouse"))},
			)),
		},
		{name: "customs", result: "unauthorized", what: "the HMP answers 403 to its token"},
	}
}

// forbidAfter is b, and [Forbidden] for tokens that are so old.
func forbidAfter(age time.Duration, b Behaviour) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c Call) {
		if r.Method == http.MethodGet && c.Now.Sub(c.Issued) >= age {
			Forbidden()(w, r, c)
			return
		}
		b(w, r, c)
	}
}

// A regeneration is the story of a key that gets another secret in each period:
// first in HMP, where its tokens end too, and later in the exporter's file.
type regeneration struct {
	every         time.Duration
	inHMP, inFile time.Duration // since the period began
}

// startRegenerations starts the stories of the keys that have one.
func (d *Demo) startRegenerations(ctx context.Context) {
	for i := range d.fleet {
		t := &d.fleet[i]
		for _, s := range t.sessions {
			if s.regeneration != nil {
				d.running.Go(func() { d.regenerate(ctx, t, s) })
			}
		}
	}
}

// regenerate plays the story of a session's key until ctx is done. What it is
// late for it does at once and in order, so that it is never out of step for long.
func (d *Demo) regenerate(ctx context.Context, t *demoTarget, s demoSession) {
	period := d.clock.start
	for n := 2; ; n++ { // the first secret is there from the start
		if !wait(ctx, d.clock.until(period.Add(s.regeneration.inHMP))) {
			return
		}
		// In this order, so that no login with the old secret is admitted
		// between the two.
		t.server.RegenerateKey(t.key(s), t.secret(s, n))
		t.server.RevokeTokens(t.key(s))
		if !wait(ctx, d.clock.until(period.Add(s.regeneration.inFile))) {
			return
		}
		if err := writeSecret(filepath.Join(d.dir, t.secretFile(s)), t.secret(s, n)); err != nil {
			// The demo goes on: the next period brings the next secret.
			d.report(fmt.Errorf("failed to write the new secret of %s/%s: %w", t.name, s.name, err))
		}
		period = period.Add(s.regeneration.every)
	}
}
