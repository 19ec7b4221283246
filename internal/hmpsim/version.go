package hmpsim

import (
	"math"
	"net/http"
	"time"
)

// The demo upgrades an HMP once in upgradePeriod. The HMP restarts for it.
const (
	upgradePeriod = 10 * time.Minute
	restartAfter  = 45 * time.Second // since the period began
	restartFor    = 30 * time.Second
)

// restarting is b on an HMP that is upgraded.
func restarting(b Behaviour) Behaviour {
	return Timeline(
		Step{For: restartAfter, Do: b},
		Step{For: restartFor, Do: Reset()},
		Step{For: upgradePeriod - restartAfter - restartFor, Do: b},
	)
}

// upgraded tells another version after each restart.
func upgraded() Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c Call) {
		version, build := "4.1.0", firstBuild-1
		if upgrades := int((c.Age() + upgradePeriod - restartAfter) / upgradePeriod); upgrades > 0 {
			version, build = "4.1.1", firstBuild+upgrades-1
		}
		Version(version, encode(build))(w, r, c)
	}
}

// firstBuild is the build of version 4.1.1.
const firstBuild = 30242

// Swell serves b after a delay that rises smoothly from least to most and falls
// again in each period, beginning at the least.
func Swell(least, most, period time.Duration, b Behaviour) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c Call) {
		phase := float64(c.Age()%period) / float64(period)
		height := (1 - math.Cos(2*math.Pi*phase)) / 2
		Delay(least+time.Duration(height*float64(most-least)), b)(w, r, c)
	}
}
