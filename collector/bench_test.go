package collector

import (
	"bufio"
	"fmt"
	"io"
	"testing"

	"github.com/prometheus/common/expfmt"

	"hmp_exporter/internal/hmp"
)

// BenchmarkExposition writes results, directly and in the way of client_golang. What a
// whole scrape costs is measured in bench.
func BenchmarkExposition(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("sessions=%d", n), func(b *testing.B) {
			results := make([]Result, n)
			for i := range results {
				results[i] = sampleResults()[hmp.Valid]
				results[i].Session = fmt.Sprintf("session-%d", i)
			}
			b.Run("text", func(b *testing.B) {
				w := bufio.NewWriter(io.Discard)
				b.ReportAllocs()
				for b.Loop() {
					WriteText(w, results, true)
				}
			})
			b.Run("families", func(b *testing.B) {
				encoder := expfmt.NewEncoder(io.Discard, expfmt.NewFormat(expfmt.TypeOpenMetrics))
				b.ReportAllocs()
				for b.Loop() {
					for _, f := range Families(results) {
						if err := encoder.Encode(f); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		})
	}
}
