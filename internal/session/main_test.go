package session

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"hmp_exporter/internal/canary"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(canary.Watch(m)) }

// advance lets time go by in a bubble.
func advance(d time.Duration) {
	time.Sleep(d) // the fake clock
}
