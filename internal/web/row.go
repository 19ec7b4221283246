package web

import (
	"strconv"
	"time"

	"hmp_exporter/collector"
)

const (
	// tokenMargin and certificateMargin are how long before its end a page points at one.
	tokenMargin       = time.Minute
	certificateMargin = 30 * 24 * time.Hour
)

// A row is one session as the pages show it.
type row struct {
	Target, Session string
	Link            string // its page, relative to the pages
	Probe           string // its metrics
	Verdict         verdict
	Runbook         string // where it explains the result, relative to the pages
	Held            bool
	Reason          string
	Probed          bool // there was a probe
	At              moment
	For             string // how long the result has been the same
	Before          string // the result before
	Latency         string // "" if nothing was sent
	Parts           []part
	PartsText       string
	Strip           strip
	Token           moment
	Certificate     moment
	Messages        string // the number of service messages; "" if that is not known
	HasMessages     bool
	Texts           []string
	Version         *collector.Version // of the HMP; nil if it is not known
}

func rowOf(h *collector.History, now time.Time) row {
	last := &h.Last
	r := row{
		Target:      last.Target,
		Session:     last.Session,
		Link:        sessionAction(last.Target, last.Session),
		Probe:       "probe?" + parametersOf(last.Target, last.Session),
		Verdict:     verdictOf(last.ResultName()),
		Runbook:     runbookLink(verdictOf(last.ResultName()).Word),
		Held:        last.Skipped,
		Reason:      last.Reason,
		Probed:      last.ResultName() != "",
		At:          momentOf(last.Start, now, 0),
		Strip:       stripOf(h.Points, now),
		Certificate: momentOf(h.CertificateExpiry, now, certificateMargin),
		Texts:       last.Details.MessageTexts,
	}
	r.Parts, r.PartsText = partsOf(last)
	if _, sent := last.Up(); sent {
		r.Latency = latency(last.Duration)
	}
	if n := last.Details.ServiceMessages; n != nil {
		r.Messages, r.HasMessages = strconv.Itoa(*n), *n > 0
	}
	if last.Logins != nil {
		r.Token = momentOf(last.Logins.TokenExpiry, now, tokenMargin)
	}
	if len(h.Streaks) > 0 {
		r.For = age(now.Sub(h.Streaks[0].First))
	}
	if len(h.Streaks) > 1 {
		r.Before = h.Streaks[1].ResultName
	}
	return r
}
