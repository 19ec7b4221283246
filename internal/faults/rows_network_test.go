package faults

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"hmp_exporter/internal/hmp"
)

// pace is that of a far side that sends a byte at a time: slow, but not silent.
const pace = 5 * time.Millisecond

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
		{name: "the body drips a byte at a time", script: saysAnd(head(200), func(p *peer) { p.drip(session(), pace) }), want: answered(hmp.Timeout, 200).lasts()},
	}
}

// named gives the target a host name.
func named(host string) func(*stage) {
	return func(s *stage) { s.url = "http://" + host + "." }
}

// refused points the target to a port at which nobody listens. A socket that does
// not listen keeps it from others meanwhile.
func refused(s *stage) {
	_, port := boundSocket(s)
	s.url = fmt.Sprintf("http://127.0.0.1:%d", port)
}

// dropped points the target to a port whose queue of connections is full, so that
// the system drops the packets that ask for more.
func dropped(s *stage) {
	fd, port := boundSocket(s)
	if err := syscall.Listen(fd, 0); err != nil {
		s.t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	s.url = "http://" + address
	for {
		ctx, cancel := context.WithTimeout(s.t.Context(), 100*time.Millisecond)
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		cancel()
		if os.IsTimeout(err) {
			return
		}
		if err != nil {
			s.t.Fatal(err)
		}
		s.closers = append(s.closers, func() { _ = conn.Close() })
	}
}

// boundSocket returns a socket that has a port, and is closed with the stage.
func boundSocket(s *stage) (fd, port int) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.closers = append(s.closers, func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		s.t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		s.t.Fatal(err)
	}
	return fd, name.(*syscall.SockaddrInet4).Port
}
