package session

import (
	"testing"
	"time"

	"hmp_exporter/internal/hmp"
)

// Reports and the keyring are looked through in every test.
func TestNothingPrintsSecrets(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		const wrong = canary + "-wrong"
		file := r.file("secret", secret)
		fromFile := r.optionsOf("api_key: " + key + ", api_secret_file: " + file)
		sessions := map[string]*Login{
			"one with a token":     r.login(key, secret),
			"one with files":       r.keyring.Login(fromFile, nil),
			"one that is held":     r.login(key, wrong),
			"one that was renamed": r.login(key, secret),
			"one that has to wait": r.login(key+"-2", secret),
		}
		r.rotating = true
		for name, l := range sessions {
			r.onLogin = nil
			if name == "one that has to wait" {
				r.onLogin = always(hmp.BadPayload)
			}
			r.scrape(l, time.Minute)
		}
		r.keyring.Retire(sessions["one that was renamed"])
		for name, l := range sessions {
			status, _ := l.Status()
			noCanary(t, name, l)
			noCanary(t, name+", its value", *l)
			noCanary(t, name+", its options", l.options)
			noCanary(t, name+", its options by address", &l.options)
			noCanary(t, name+", its status", status)
			noCanary(t, name+", as a source", Source(l))
		}
		noCanary(t, "the keyring", &r.keyring)
		fixed := Fixed{Token: r.load("token: " + canary).Token}
		noCanary(t, "a fixed token", fixed)
		noCanary(t, "a fixed token by address", &fixed)
		for _, a := range r.keyring.accounts {
			noCanary(t, "an account", a)
			for i := range a.refusals {
				noCanary(t, "a refusal", a.refusals[i])
			}
			for _, s := range a.spares {
				noCanary(t, "a token", *s.token)
			}
		}
	})
}
