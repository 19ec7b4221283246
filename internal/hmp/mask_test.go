package hmp

import (
	"context"
	"hmp_exporter/internal/secret"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

// A session that repeats in its messages what it was asked with, what it hands out,
// or its own id, has that masked, however long it is and wherever it stands.
func TestMessagesDoNotRepeatTokens(t *testing.T) {
	for name, token := range map[string]string{"short": canaryToken, "long": canaryToken + strings.Repeat("x", 1000)} {
		for what, body := range map[string]string{
			"sent":   `{"data":{"serviceMessages":["Session ` + token + ` ends soon"]}}`,
			"handed": `{"data":{"serviceMessages":["Session ` + canary.Word + `-handed-out ends soon"],"authToken":"` + canary.Word + `-handed-out"}}`,
			"id":     `{"data":{"sessionId":"` + canary.Word + `-id","serviceMessages":["Session ` + canary.Word + `-id ends soon"]}}`,
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				s := startRaw(t, body)
				a, _ := exchange(t, s, plenty, func(ctx context.Context, c *Client) (Answer, secret.Value) {
					return c.Session(ctx, Request{Token: secret.New(token)})
				}, func(o *Options) { o.MessageTexts = true })
				texts := strings.Join(a.Details.MessageTexts, "\n")
				if want := "Session <secret> ends soon"; texts != want {
					t.Errorf("got %q, want %q", texts, want)
				}
				canary.CheckValue(t, "the answer", a)
			})
		}
	}
}

// A token that a text is cut within leaves no part of itself, and one that follows the
// texts none at all.
func TestMessagesAreCutAfterMasking(t *testing.T) {
	filler := strings.Repeat("a", MaxMessageLength-10)
	messages := `"serviceMessages":["` + filler + ` ` + canary.Word + `-handed-out"]`
	token := `"authToken":"` + canary.Word + `-handed-out"`
	for name, fields := range map[string]string{"before": token + "," + messages, "behind": messages + "," + token} {
		t.Run(name, func(t *testing.T) {
			p, err := decode(strings.NewReader(`{"data":{`+fields+`}}`), 1<<20, canaryToken, true)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := strings.Join(p.details.MessageTexts, "\n"), filler+" <secret>"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func startRaw(t *testing.T, body string) string {
	t.Helper()
	sim := hmpsim.New()
	sim.SetOutage(hmpsim.Raw(200, "application/json", body))
	l, err := sim.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l.URL
}
