package main

import (
	"fmt"
	"io"

	"hmp_exporter/internal/hmpsim"
)

// mostSessions is how many sessions the simulated HMP has, beside those of payloads.
const mostSessions = 10_000

// Every session is found by its name in a configuration and in an answer, and by its
// token at the HMP.
func sessionName(i int) string   { return fmt.Sprintf("s%05d", i) }
func sessionToken(i int) string  { return tokenOf(sessionName(i)) }
func tokenOf(name string) string { return "CANARY-" + name }

// payloads are sizes in MB of sessions that are large. The session of one has a number
// beyond those of the others.
var payloads = []int{1, 8, 64}

func payloadSession(i int) int { return mostSessions + i }

// payloadMessages is how many service messages a large session has.
const payloadMessages = 3

// An hmpOrder is to turn sessions away, if it names any, and to report.
type hmpOrder struct{ Refuse []int }

// An hmpReport is where the HMP is, and what it was asked since it started.
type hmpReport struct {
	HTTP, HTTPS, CA string
	GETs, Others    int
}

// url returns where it is for a transport, and the authority of its certificate.
func (r hmpReport) url(transport string) (url, ca string) {
	if transport == "TLS" {
		return r.HTTPS, r.CA
	}
	return r.HTTP, ""
}

func beHMP(orders io.Reader, reports io.Writer) error {
	sim := hmpsim.New()
	for i := range mostSessions + len(payloads) {
		sim.SetToken(sessionToken(i), benchmarkSession(i))
	}
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		return err
	}
	certificate, err := authority.Certificate(hmpsim.CertificateOptions{})
	if err != nil {
		return err
	}
	plain, err := sim.Start(hmpsim.ListenConfig{})
	if err != nil {
		return err
	}
	defer plain.Close()
	secure, err := sim.Start(hmpsim.ListenConfig{Certificate: &certificate})
	if err != nil {
		return err
	}
	defer secure.Close()

	return obey(orders, reports, func(o hmpOrder) (hmpReport, error) {
		for _, i := range o.Refuse {
			sim.SetToken(sessionToken(i), hmpsim.Unauthorized())
		}
		stats := sim.Stats()
		return hmpReport{
			HTTP: plain.URL, HTTPS: secure.URL, CA: string(authority.PEM()),
			GETs: stats.GETs, Others: stats.POSTs + stats.Others + stats.UnknownGETs,
		}, nil
	})
}

func benchmarkSession(i int) hmpsim.Behaviour {
	s := hmpsim.ExampleSession()
	if i < mostSessions {
		return hmpsim.Valid(s)
	}
	s.ServiceMessages = nil
	for n := range payloadMessages {
		s.ServiceMessages = append(s.ServiceMessages, fmt.Sprintf("The disk of encoder %d is nearly full", n+1))
	}
	return hmpsim.Large(s, int64(payloads[i-mostSessions])*1e6)
}
