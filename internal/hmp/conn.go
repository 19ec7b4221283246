package hmp

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// maxConnectionAge bounds how long a connection is reused. So the exporter notices a change
	// in DNS, a failover or a new certificate after this time.
	maxConnectionAge = 5 * time.Minute
	// maxCloseNotify bounds the write of TLS's close_notify. It blocks if a server reads nothing.
	maxCloseNotify = 100 * time.Millisecond
	// maxIdleRead bounds the bytes that a server may send on an idle connection. A PING of
	// HTTP/2 has 39 bytes, with TLS.
	maxIdleRead = 4 << 10
)

// A conn is a connection to an HMP, perhaps through a proxy. It embeds the TCP connection.
type conn struct {
	net.Conn
	client      *http.ClientConn
	shared      bool      // HTTP/2: several requests may use it at once
	reusable    bool      // a later request may use it; the pool's lock guards this
	certificate time.Time // see certificateExpiry
	made        time.Time
	timer       *time.Timer // retires the connection; nil if it was never reusable

	users atomic.Int32 // requests, and the making of the connection
	// Bytes written, bytes read while idle, and the first two bytes read with a 1 before
	// them.
	written, idleRead atomic.Int64
	firstBytes        atomic.Uint32
}

// Read implements [net.Conn]. It closes the connection if a server sends too much while it is
// idle, because reading costs time.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 1 && c.firstBytes.Load() == 0 {
		c.firstBytes.Store(1<<16 | uint32(b[0])<<8 | uint32(b[1]))
	}
	if c.users.Load() == 0 && c.idleRead.Add(int64(n)) > maxIdleRead {
		_ = c.Conn.Close()
	}
	return n, err
}

// Write implements [net.Conn].
func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n))
	return n, err
}

// SetWriteDeadline implements [net.Conn]. It shortens the five seconds in which crypto/tls
// tries to write a close_notify, because net/http holds a lock meanwhile. Only crypto/tls
// calls it.
func (c *conn) SetWriteDeadline(deadline time.Time) error {
	if latest := time.Now().Add(maxCloseNotify); deadline.After(latest) {
		deadline = latest
	}
	return c.Conn.SetWriteDeadline(deadline)
}

// receivedTLSAlert reports whether the first bytes on a connection were a TLS alert.
func (c *conn) receivedTLSAlert() bool { return c != nil && c.firstBytes.Load() == 1<<16|0x15<<8|0x03 }

// tooOld reports whether the connection is older than maxConnectionAge by the wall clock. The
// timer of the connection stops while a machine is suspended.
func (c *conn) tooOld() bool {
	return time.Now().Round(0).Sub(c.made.Round(0)) >= maxConnectionAge
}

// discard closes the connection for good. After a timeout it does not send TLS's close_notify,
// because that write could block.
func (c *conn) discard(timedOut bool) {
	if c.timer != nil {
		c.timer.Stop()
	}
	if timedOut {
		_ = c.Conn.Close()
	}
	_ = c.client.Close()
}
