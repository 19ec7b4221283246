package session

import (
	"testing"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
)

// Reports and the keyring are looked through in every test.
func TestNothingPrintsSecrets(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		const wrong = canary.Word + "-wrong"
		file := r.file("secret", apiSecret)
		fromFile := r.optionsOf("api_key: " + key + ", api_secret_file: " + file)
		sessions := map[string]*Login{
			"one with a token":     r.login(key, apiSecret),
			"one with files":       r.keyring.Login(fromFile, nil),
			"one that is held":     r.login(key, wrong),
			"one that was renamed": r.login(key, apiSecret),
			"one that has to wait": r.login(key+"-2", apiSecret),
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
			canary.CheckValue(t, name, l)
			canary.CheckValue(t, name+", its value", *l)
			canary.CheckValue(t, name+", its options", l.options)
			canary.CheckValue(t, name+", its options by address", &l.options)
			canary.CheckValue(t, name+", its status", status)
			canary.CheckValue(t, name+", as a source", Source(l))
		}
		canary.CheckValue(t, "the keyring", &r.keyring)
		fixed := Fixed{Token: r.load("token: " + canary.Word).Token}
		canary.CheckValue(t, "a fixed token", fixed)
		canary.CheckValue(t, "a fixed token by address", &fixed)
		for _, a := range r.keyring.accounts {
			canary.CheckValue(t, "an account", a)
			for i := range a.refusals {
				canary.CheckValue(t, "a refusal", a.refusals[i])
			}
			for _, s := range a.spares {
				canary.CheckValue(t, "a token", *s.token)
			}
		}
	})
}
