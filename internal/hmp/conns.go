package hmp

import (
	"net"
	"sync"
)

// A connSet has connections until they are closed. The zero value is empty.
type connSet struct {
	mu    sync.Mutex
	conns map[*memberConn]struct{}
}

// A memberConn leaves its set when it is closed.
type memberConn struct {
	net.Conn
	set *connSet
}

func (s *connSet) add(c net.Conn) net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		s.conns = make(map[*memberConn]struct{})
	}
	m := &memberConn{c, s}
	s.conns[m] = struct{}{}
	return m
}

// Close implements [net.Conn].
func (m *memberConn) Close() error {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	delete(m.set.conns, m)
	return m.Conn.Close()
}

// close closes all of them.
func (s *connSet) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for m := range s.conns {
		_ = m.Conn.Close()
	}
	clear(s.conns)
}
