package web

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"hmp_exporter/internal/canary"
)

func TestMain(m *testing.M) {
	if os.Getenv(farSide) != "" {
		beFarSide() // this is the other process of a benchmark
		return
	}
	goleak.VerifyTestMain(canary.Watch(m))
}
