package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
)

// selfMetrics are the metrics about the collector itself.
type selfMetrics struct {
	inFlight  prometheus.Gauge
	coalesced prometheus.Counter
	panics    prometheus.Counter
	duration  prometheus.Histogram
}

func newSelfMetrics() selfMetrics {
	return selfMetrics{
		inFlight:  prometheus.NewGauge(prometheus.GaugeOpts(opts(ProbesInFlight))),
		coalesced: prometheus.NewCounter(prometheus.CounterOpts(opts(CoalescedProbes))),
		panics:    prometheus.NewCounter(prometheus.CounterOpts(opts(ProbePanics))),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                            ExporterProbeDuration,
			Help:                            MetricNamed(ExporterProbeDuration).Help,
			Buckets:                         []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}),
	}
}

func opts(name string) prometheus.Opts {
	return prometheus.Opts{Name: name, Help: MetricNamed(name).Help}
}

// Register registers the metrics about the exporter itself. The reload function returns
// whether the last load of the configuration succeeded, and when the last success was.
func (c *Collector) Register(r prometheus.Registerer, reload func() (ok bool, last time.Time)) {
	r.MustRegister(
		c.metrics.inFlight, c.metrics.coalesced, c.metrics.panics, c.metrics.duration,
		versioncollector.NewCollector("hmp_exporter"),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts(ConfigReloadOK)), func() float64 {
			ok, _ := reload()
			return boolToFloat(ok)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts(ConfigReloadTime)), func() float64 {
			if _, last := reload(); !last.IsZero() {
				return seconds(last)
			}
			return 0
		}),
	)
}
