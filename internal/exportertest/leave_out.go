package exportertest

import (
	"fmt"
	"os"
	"testing"
)

// LeaveOut ends a test that cannot run on this machine. The test is skipped, or failed if
// HMP_TEST_ALL is set. `make test` prints at its end what the file LEFT_OUT lists.
func LeaveOut(t testing.TB, format string, a ...any) {
	t.Helper()
	what := fmt.Sprintf(format, a...)
	if os.Getenv("HMP_TEST_ALL") != "" {
		t.Fatalf("HMP_TEST_ALL leaves nothing out, and this cannot be tested here: %s", what)
	}
	if name := os.Getenv("LEFT_OUT"); name != "" {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // the Makefile names it
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
