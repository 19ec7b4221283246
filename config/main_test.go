package config

import (
	"testing"

	"go.uber.org/goleak"

	"hmp_exporter/internal/canary"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noCanary checks what the package has said.
func noCanary(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		canary.Check(t, "a text", text)
	}
}
