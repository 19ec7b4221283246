package token

import (
	"testing"

	"go.uber.org/goleak"

	"hmp_exporter/internal/canary"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(canary.Watch(m)) }
