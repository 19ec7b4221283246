package faults

import (
	"net/http"
	"time"

	"hmp_exporter/internal/hmp"
)

// slowly is the pause between bytes of a slow server.
const slowly = 100 * time.Millisecond

func networkRows() []row {
	const half = "HTTP/1.1 200 OK\r\nContent-Type: appl"
	whole := response(200, session())
	body := whole[:len(whole)/2]
	return []row{
		{name: "no fault", script: good(), want: healthy()},

		{name: "the name does not exist", prepare: named("nxdomain.test"), want: failed(hmp.DNS, 0)},
		{name: "the name has no address", prepare: named("empty.test"), want: failed(hmp.DNS, 0)},
		{name: "the name server fails", prepare: named("servfail.test"), want: failed(hmp.DNS, 0)},
		{name: "the name server is silent", prepare: named("silent.test"), want: failed(hmp.Timeout, 0).lasts()},

		{name: "the port is closed", prepare: refused, want: failed(hmp.Connect, 0)},
		{name: "packets of new connections are dropped", prepare: dropped, want: failed(hmp.Timeout, 0).lasts()},
		{name: "the connection is accepted, then nothing", script: func(p *peer) { p.hang() }, want: failed(hmp.Timeout, 1).lasts()},
		{name: "the connection is closed without an answer", script: onRequest(func(*peer) {}), want: failed(hmp.Protocol, 1)},

		{name: "reset before the headers", script: onRequest((*peer).reset), want: failed(hmp.Protocol, 1)},
		{name: "reset in the headers", script: answersThen(half, (*peer).reset), want: failed(hmp.Protocol, 1)},
		{name: "reset after the headers", script: answersThen(head(200, "Content-Length: 100"), (*peer).reset), want: answered(hmp.BadPayload, 200)},
		{name: "reset in the body", script: answersThen(body, (*peer).reset), want: answered(hmp.BadPayload, 200)},
		{name: "closed in the headers", script: answersThen(half, (*peer).closeTCP), want: failed(hmp.Protocol, 1)},

		{name: "stall in the headers", script: answersThen(half, (*peer).hang), want: failed(hmp.Timeout, 1).lasts()},
		{name: "stall after the headers", script: answersThen(head(200, "Content-Length: 100"), (*peer).hang), want: answered(hmp.Timeout, 200).lasts()},
		{name: "stall in the body", script: answersThen(body, (*peer).hang), want: answered(hmp.Timeout, 200).lasts()},
		{name: "headers arrive one byte at a time", script: onRequest(func(p *peer) { p.writeSlowly(whole, slowly) }), want: failed(hmp.Timeout, 1).lasts()},
		{name: "the answer arrives in packets of ten bytes", script: eachRequest(func(p *peer, _ *http.Request) { p.writePackets(whole) }), want: healthy()},
		{name: "the answer comes after the deadline", script: onRequest(func(p *peer) {
			if p.wait(time.Minute) {
				p.write(whole)
			}
		}), want: failed(hmp.Timeout, 1).lasts()},
		{name: "the body arrives one byte at a time", script: answersThen(head(200), func(p *peer) { p.writeSlowly(session(), slowly) }), want: answered(hmp.Timeout, 200).lasts()},
	}
}

// named gives the target a host name.
func named(host string) func(*setup) {
	return func(s *setup) { s.url = "http://" + host + "." }
}
