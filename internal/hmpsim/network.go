package hmpsim

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"time"
)

// Hang answers nothing until the client goes.
func Hang() Behaviour {
	return BehaviourFunc(func(_ http.ResponseWriter, r *http.Request, _ Call) {
		<-r.Context().Done()
		giveUp()
	})
}

// giveUp ends a request whose client has gone. To return would be to answer an
// empty 200, which a client that is just hanging up can still receive.
func giveUp() { panic(http.ErrAbortHandler) }

// HangInBody answers 200 and half of a session, then nothing until the client
// goes.
func HangInBody(s Session) Behaviour {
	return BehaviourFunc(func(w http.ResponseWriter, r *http.Request, c Call) {
		_, _ = w.Write(sendHalf(w, s, c))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
}

// Reset closes the connection without an answer, with a TCP reset where it is
// one of TCP.
func Reset() Behaviour {
	return BehaviourFunc(func(w http.ResponseWriter, _ *http.Request, _ Call) {
		conn := hijack(w)
		// Closing the TCP connection below TLS: a close_notify would be
		// an orderly end.
		if secure, ok := conn.(*tls.Conn); ok {
			conn = secure.NetConn()
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	})
}

// Malformed answers with something that is not HTTP, and closes.
func Malformed() Behaviour {
	return BehaviourFunc(func(w http.ResponseWriter, _ *http.Request, _ Call) {
		conn := hijack(w)
		_, _ = io.WriteString(conn, "220 mail.example ESMTP ready\r\n")
		_ = conn.Close()
	})
}

// hijack takes the connection from net/http. A stream of HTTP/2 has none of its
// own and is reset instead.
func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return conn
}

// Drip serves b with a body that comes a few bytes at a time, with a pause
// after each.
func Drip(bytes int, pause time.Duration, b Behaviour) Behaviour {
	if bytes <= 0 {
		panic("hmpsim: Drip needs a positive number of bytes")
	}
	return BehaviourFunc(func(w http.ResponseWriter, r *http.Request, c Call) {
		b.Serve(&dripWriter{ResponseWriter: w, request: r, bytes: bytes, pause: pause}, r, c)
	})
}

type dripWriter struct {
	http.ResponseWriter
	request *http.Request
	bytes   int
	pause   time.Duration
}

// Unwrap lets [http.ResponseController] flush and hijack.
func (d *dripWriter) Unwrap() http.ResponseWriter { return d.ResponseWriter }

func (d *dripWriter) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n, err := d.ResponseWriter.Write(p[written:min(len(p), written+d.bytes)])
		written += n
		if err != nil {
			return written, err
		}
		if err := http.NewResponseController(d.ResponseWriter).Flush(); err != nil {
			return written, err
		}
		if !wait(d.request.Context(), d.pause) {
			return written, d.request.Context().Err()
		}
	}
	return written, nil
}
