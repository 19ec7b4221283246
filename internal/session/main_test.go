package session

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary is in every secret. It may be seen nowhere.
const canary = "CANARY"

// noCanary prints a value in all the ways that fmt has.
func noCanary(t testing.TB, what string, value any) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if text := fmt.Sprintf(verb, value); strings.Contains(text, canary) {
			t.Errorf("%s as %s tells a secret: %s", what, verb, text)
		}
	}
}

// advance lets time go by in a bubble.
func advance(d time.Duration) {
	time.Sleep(d) // the fake clock
}
