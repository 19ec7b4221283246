package faults

import (
	"net/http"
	"time"

	"hmp_exporter/internal/hmp"
)

// pace is that of a far side that sends a byte at a time: slow, but not silent.
const pace = 100 * time.Millisecond

func networkRows() []row {
	const half = "HTTP/1.1 200 OK\r\nContent-Type: appl"
	whole := response(200, session())
	body := whole[:len(whole)/2]
	return []row{
		{name: "nothing is wrong", script: good(), want: valid().messages(goodMessages)},

		{name: "the name does not exist", set: named("nxdomain.test"), want: failed(hmp.DNS, 0)},
		{name: "the name has no address", set: named("empty.test"), want: failed(hmp.DNS, 0)},
		{name: "the name server fails", set: named("servfail.test"), want: failed(hmp.DNS, 0)},
		{name: "the name server is silent", set: named("silent.test"), want: failed(hmp.Timeout, 0).lasts()},

		{name: "the port is closed", set: refused, want: failed(hmp.Connect, 0)},
		{name: "packets are dropped before there is a connection", set: dropped, want: failed(hmp.Timeout, 0).lasts()},
		{name: "the connection is accepted and nothing more", script: func(p *peer) { p.hold() }, want: failed(hmp.Timeout, 1).lasts()},
		{name: "the connection is closed without an answer", script: does(func(*peer) {}), want: failed(hmp.Protocol, 1)},

		{name: "reset before the headers", script: does((*peer).reset), want: failed(hmp.Protocol, 1)},
		{name: "reset in the headers", script: saysAnd(half, (*peer).reset), want: failed(hmp.Protocol, 1)},
		{name: "reset after the headers", script: saysAnd(head(200, "Content-Length: 100"), (*peer).reset), want: answered(hmp.BadPayload, 200)},
		{name: "reset in the body", script: saysAnd(body, (*peer).reset), want: answered(hmp.BadPayload, 200)},
		{name: "closed in the headers", script: saysAnd(half, (*peer).cut), want: failed(hmp.Protocol, 1)},

		{name: "stall in the headers", script: saysAnd(half, (*peer).hold), want: failed(hmp.Timeout, 1).lasts()},
		{name: "stall after the headers", script: saysAnd(head(200, "Content-Length: 100"), (*peer).hold), want: answered(hmp.Timeout, 200).lasts()},
		{name: "stall in the body", script: saysAnd(body, (*peer).hold), want: answered(hmp.Timeout, 200).lasts()},
		{name: "headers drip a byte at a time", script: does(func(p *peer) { p.drip(whole, pace) }), want: failed(hmp.Timeout, 1).lasts()},
		{name: "the answer comes in slices of ten bytes", script: each(func(p *peer, _ *http.Request) { p.slices(whole) }), want: valid().messages(goodMessages)},
		{name: "the answer comes after the deadline", script: does(func(p *peer) {
			if p.pause(time.Minute) {
				p.say(whole)
			}
		}), want: failed(hmp.Timeout, 1).lasts()},
		{name: "the body drips a byte at a time", script: saysAnd(head(200), func(p *peer) { p.drip(session(), pace) }), want: answered(hmp.Timeout, 200).lasts()},
	}
}

// named gives the target a host name.
func named(host string) func(*stage) {
	return func(s *stage) { s.url = "http://" + host + "." }
}
