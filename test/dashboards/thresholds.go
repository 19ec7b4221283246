package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// The thresholds of the alert rules, in seconds except the objective.
const (
	slowProbe = 2.

	// The exporter renews a token with a lifetime of 30 minutes 4.5 to 3 minutes before its end.
	// The alert begins at five minutes, because it also checks whether logins fail.
	tokenSoon    = 2 * 60.
	tokenExpired = 0.

	// The share of the time in which a session should be valid.
	objective = 0.995

	certificateSoon = 21 * 24 * 3600.
	certificateNow  = 3 * 24 * 3600.
)

// A step is a colour and the lowest value that has it.
type step struct {
	from  float64
	color string
}

// steps returns thresholds. base is the colour below the first step.
func steps(base string, above ...step) *dashboard.ThresholdsConfigBuilder {
	list := []dashboard.Threshold{{Value: nil, Color: base}}
	for _, s := range above {
		list = append(list, dashboard.Threshold{Value: new(s.from), Color: s.color})
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(list)
}

// Good and bad have the same colours everywhere.
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
	return steps(bad, step{tokenExpired, warning}, step{tokenSoon, good})
}

func certificateSteps() *dashboard.ThresholdsConfigBuilder {
	return steps(bad, step{certificateNow, warning}, step{certificateSoon, good})
}

// oneOrMore colours a number that should be 0.
func oneOrMore(color string) *dashboard.ThresholdsConfigBuilder { return steps(good, step{1, color}) }

// timeoutSteps colours a share of a timeout.
func timeoutSteps() *dashboard.ThresholdsConfigBuilder {
	return steps(good, step{0.5, warning}, step{0.95, bad})
}

// neutral colours a number that is neither good nor bad.
func neutral() *dashboard.ThresholdsConfigBuilder { return steps(plain) }
