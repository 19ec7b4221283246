package web

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(farSide) != "" {
		beFarSide() // this is the other process of a benchmark
		return
	}
	goleak.VerifyTestMain(m)
}

// canary is in every secret, and in all that tells who somebody is. It may be
// seen nowhere.
const canary = "CANARY"

func noCanary(t testing.TB, what, text string) {
	t.Helper()
	if at := strings.Index(text, canary); at >= 0 {
		t.Errorf("%s tells a secret: …%s", what, text[max(0, at-60):])
	}
}
