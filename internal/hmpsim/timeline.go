package hmpsim

import (
	"math"
	"net/http"
	"time"
)

// Delay serves b after d, or nothing if the client goes before.
func Delay(d time.Duration, b Behaviour) Behaviour {
	return BehaviourFunc(func(w http.ResponseWriter, r *http.Request, c Call) {
		if !wait(r.Context(), d) {
			giveUp()
		}
		b.Serve(w, r, c)
	})
}

// Swell serves b after a delay that rises smoothly from least to most and falls
// again in each period, beginning at the least.
func Swell(least, most, period time.Duration, b Behaviour) Behaviour {
	if period <= 0 {
		panic("hmpsim: Swell needs a positive period")
	}
	return BehaviourFunc(func(w http.ResponseWriter, r *http.Request, c Call) {
		phase := float64(c.age()%period) / float64(period)
		height := (1 - math.Cos(2*math.Pi*phase)) / 2
		d := least + time.Duration(height*float64(most-least))
		Delay(d, b).Serve(w, r, c)
	})
}

// A Step is a part of a [Timeline].
type Step struct {
	// For is how long the step lasts.
	For time.Duration
	// Do is the behaviour meanwhile. It sees the step's beginning as its
	// start, so timelines can be steps of timelines.
	Do Behaviour
}

// Timeline serves one step after the other, as the server's clock goes, and
// begins again after the last. It begins when its token, key or outage is set.
// Every step must last; the last one of a story that happens once can last for
// years.
func Timeline(steps ...Step) Behaviour {
	var total time.Duration
	for _, s := range steps {
		if s.For <= 0 {
			panic("hmpsim: Timeline needs steps that last")
		}
		total += s.For
	}
	if total == 0 {
		panic("hmpsim: Timeline needs a step")
	}
	return BehaviourFunc(func(w http.ResponseWriter, r *http.Request, c Call) {
		into := c.age() % total // time since the present step began
		for _, s := range steps {
			if into < s.For {
				c.Start = c.Now.Add(-into)
				s.Do.Serve(w, r, c)
				return
			}
			into -= s.For
		}
	})
}
