package collector

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/prometheus/common/expfmt"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// An instantClient answers at once, without an HMP.
type instantClient struct {
	client
	answer hmp.Answer
}

func (c instantClient) GetSession(context.Context, hmp.SessionRequest) (hmp.Answer, secret.Value) {
	return c.answer, secret.Value{}
}

func (c instantClient) Version(context.Context, hmp.SessionRequest) (hmp.Version, hmp.Answer) {
	return hmp.Version{Version: "4.1.1", Build: "30242"}, hmp.Answer{Result: hmp.Valid}
}

// BenchmarkFanOut measures a scrape without the time of the HMP. Only the first scrape causes a
// version request.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("sessions=%d", n), func(b *testing.B) {
			var names []string
			for i := range n {
				names = append(names, fmt.Sprintf("session-%d", i))
			}
			r := newRig(b, withVersion)
			r.Apply(r.load(targetNamed("studio", names...)))
			t := r.snapshot.Load().byName["studio"]
			t.client = instantClient{t.client, sampleResults()[hmp.Valid].Answer}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Probe(Request{ScrapeTimeout: "10"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkExposition writes results as text, and as metric families.
func BenchmarkExposition(b *testing.B) {
	for _, n := range []int{1, 1000} {
		results := make([]Result, n)
		for i := range results {
			results[i] = sampleResults()[hmp.Valid]
			results[i].Session = fmt.Sprintf("session-%d", i)
		}
		b.Run(fmt.Sprintf("text/sessions=%d", n), func(b *testing.B) {
			w := bufio.NewWriter(io.Discard)
			b.ReportAllocs()
			for b.Loop() {
				WriteText(w, results, true)
			}
		})
		b.Run(fmt.Sprintf("families/sessions=%d", n), func(b *testing.B) {
			encoder := expfmt.NewEncoder(io.Discard, expfmt.NewFormat(expfmt.TypeProtoDelim))
			b.ReportAllocs()
			for b.Loop() {
				for _, f := range Families(results) {
					if err := encoder.Encode(f); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
