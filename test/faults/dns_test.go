package faults

import (
	"context"
	"net"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// startNameServer starts a name server and makes this process use it. The first label of a
// name decides the answer: nxdomain, servfail, empty, silent, or otherwise 127.0.0.1.
func startNameServer() {
	conn, err := new(net.ListenConfig).ListenPacket(context.Background(), "udp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go answerQuestions(conn)
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func answerQuestions(conn net.PacketConn) {
	buf := make([]byte, 512)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			panic(err)
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		if answer(&m) {
			reply, err := m.Pack()
			if err != nil {
				continue
			}
			_, _ = conn.WriteTo(reply, from)
		}
	}
}

// answer turns a question into its answer. It returns false if there is none.
func answer(m *dnsmessage.Message) bool {
	q := m.Questions[0]
	label, _, _ := strings.Cut(q.Name.String(), ".")
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	switch label {
	case "silent":
		return false
	case "nxdomain":
		m.RCode = dnsmessage.RCodeNameError
	case "servfail":
		m.RCode = dnsmessage.RCodeServerFailure
	case "empty":
	default:
		if q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1},
				Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
			}}
		}
	}
	return true
}
