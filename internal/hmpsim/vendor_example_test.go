package hmpsim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValidIsTheVendorsExample(t *testing.T) {
	golden, err := os.ReadFile("testdata/session.json")
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, golden); err != nil {
		t.Fatal(err)
	}
	sim := New()
	sim.SetToken("auth-token", Valid(ExampleSession()))
	got := start(t, sim).get("auth-token")
	if got.err != nil || got.status != http.StatusOK {
		t.Fatalf("status %d, error %v, want 200", got.status, got.err)
	}
	// The text and not the values: the order of the fields is part of it.
	if diff := cmp.Diff(strings.TrimSpace(want.String()), got.body); diff != "" {
		t.Errorf("payload differs from the vendor's (-want +got):\n%s", diff)
	}
}
