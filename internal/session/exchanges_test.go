package session

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
)

// A probe has the exchanges of all its calls, in their order.
func TestExchanges(t *testing.T) {
	p := new(probe)
	for _, o := range []hmp.Result{hmp.Unauthorized, hmp.Valid, hmp.Valid} {
		p.answered(hmp.Answer{Result: o, Exchanges: []hmp.Exchange{{Method: "GET", Result: o}}})
	}
	want := []hmp.Exchange{{Method: "GET", Result: hmp.Unauthorized}, {Method: "GET", Result: hmp.Valid}, {Method: "GET", Result: hmp.Valid}}
	if diff := cmp.Diff(want, p.report.Exchanges); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if repeated := told(p.report.Answer); repeated.Exchanges != nil {
		t.Errorf("what is repeated while nothing is sent has %+v", repeated.Exchanges)
	}
}
