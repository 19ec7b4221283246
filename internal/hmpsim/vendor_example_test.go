package hmpsim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
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
	r, w := httptest.NewRequest(http.MethodGet, Endpoint, nil), httptest.NewRecorder()
	r.Header.Set("Authorization", "Bearer auth-token")
	sim.ServeHTTP(w, r)
	// The text and not the values: the order of the fields is part of it.
	if diff := cmp.Diff(want.String(), w.Body.String()); diff != "" || w.Code != http.StatusOK {
		t.Errorf("status %d, payload differs from the vendor's (-want +got):\n%s", w.Code, diff)
	}
}
