package web

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// TestLast is that /sessions.json has what the last probes found, by the schema of the probe
// command, and that it does not probe. The rig's client looks for canaries in all of it.
func TestLast(t *testing.T) {
	text, err := os.ReadFile("../../docs/probe.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	schema, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	last := func(r *rig) (probed map[string]bool) {
		t.Helper()
		before := r.probed()
		got := r.get("/sessions.json")
		got.want(t, http.StatusOK)
		var value any
		var document struct {
			Sessions []struct {
				Target, Session string
				Valid           bool
				Started         *string
			}
		}
		if err := json.Unmarshal([]byte(got.body), &value); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("the schema does not have it: %v\n%s", err, got.body)
		}
		if err := json.Unmarshal([]byte(got.body), &document); err != nil {
			t.Fatal(err)
		}
		if r.probed() != before {
			t.Error("it has probed")
		}
		probed = make(map[string]bool)
		for _, s := range document.Sessions {
			if s.Started != nil {
				probed[s.Target+"/"+s.Session] = s.Valid
			}
		}
		if strings.Contains(got.body, "Password change required") {
			t.Error("the text of a message is there, which is not to be shown")
		}
		return probed
	}
	r := newRig(t, fleet)
	if got := last(r); len(got) != 0 {
		t.Errorf("before a probe: %v", got)
	}
	r.get("/probe?target=studio")
	if got := last(r); len(got) != 2 || !got["studio/playout"] || got["studio/archive"] {
		t.Errorf("after a probe: %v", got)
	}
	last(newRig(t, ""))
}
