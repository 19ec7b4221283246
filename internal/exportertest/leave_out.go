package exportertest

import (
	"fmt"
	"os"
	"testing"
)

// LeaveOut ends a test that cannot run on this machine: as skipped, or with HMP_TEST_ALL
// as failed. `make test` tells at its end what was left out, as in the file LEFT_OUT.
func LeaveOut(t testing.TB, format string, a ...any) {
	t.Helper()
	what := fmt.Sprintf(format, a...)
	if os.Getenv("HMP_TEST_ALL") != "" {
		t.Fatalf("HMP_TEST_ALL leaves nothing out, and this cannot be tested here: %s", what)
	}
	if name := os.Getenv("LEFT_OUT"); name != "" {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // it is the Makefile that names it
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := fmt.Fprintf(f, "%s: %s\n", t.Name(), what); err != nil {
			t.Fatal(err)
		}
	}
	t.Skip("left out: " + what)
}
