package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// From where on a value is worth a look or somebody's attention at once, as in the alert rules; in seconds, but for the
// objective.
const (
	slowProbe = 2.

	// A token is renewed in the last tenth of its life or a little earlier: with the usual 30 minutes, 4.5 to 3 minutes
	// before its end. One that ends sooner could not be renewed. The alert begins at five minutes, as it also looks
	// whether logins fail, which a colour cannot.
	tokenSoon  = 2 * 60.
	tokenEnded = 0.

	// The share of the time that a session is to be valid.
	objective = 0.995

	certificateSoon = 21 * 24 * 3600.
	certificateNow  = 3 * 24 * 3600.
)

// A step is a colour, and the value from which on it is used.
type step struct {
	from  float64
	color string
}

// steps are thresholds: a colour for all below the first step, and the steps.
func steps(base string, above ...step) *dashboard.ThresholdsConfigBuilder {
	list := []dashboard.Threshold{{Value: nil, Color: base}}
	for _, s := range above {
		list = append(list, dashboard.Threshold{Value: new(s.from), Color: s.color})
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(list)
}

// What is good or bad has one colour everywhere.
const (
	good    = "green"
	warning = "orange"
	bad     = "red"
	plain   = "text"
)

func latencySteps() *dashboard.ThresholdsConfigBuilder {
	return steps(good, step{slowProbe, warning})
}

func tokenSteps() *dashboard.ThresholdsConfigBuilder {
	return steps(bad, step{tokenEnded, warning}, step{tokenSoon, good})
}

func certificateSteps() *dashboard.ThresholdsConfigBuilder {
	return steps(bad, step{certificateNow, warning}, step{certificateSoon, good})
}

// anyIs colours a number of which 0 is the good one.
func anyIs(color string) *dashboard.ThresholdsConfigBuilder { return steps(good, step{1, color}) }

// limitSteps colours a share of a limit.
func limitSteps() *dashboard.ThresholdsConfigBuilder {
	return steps(good, step{0.5, warning}, step{0.95, bad})
}

// allAre colours a share of which the whole is the good one.
func allAre() *dashboard.ThresholdsConfigBuilder { return steps(bad, step{1, good}) }

// neutral is for what is neither good nor bad.
func neutral() *dashboard.ThresholdsConfigBuilder { return steps(plain) }
