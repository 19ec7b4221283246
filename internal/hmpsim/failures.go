package hmpsim

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Hang answers nothing until the client goes.
func Hang() Behaviour {
	return func(_ http.ResponseWriter, r *http.Request, _ Call) {
		<-r.Context().Done()
		abort()
	}
}

// abort drops the connection. If a behaviour returned after the client has gone, net/http would
// send an empty 200, which the client might still receive.
func abort() { panic(http.ErrAbortHandler) }

// Reset closes the connection without an answer, by a TCP reset if it is TCP.
func Reset() Behaviour {
	return func(w http.ResponseWriter, _ *http.Request, _ Call) {
		conn := hijack(w)
		// Close the TCP connection below TLS: a close_notify would be an orderly end.
		if secure, ok := conn.(*tls.Conn); ok {
			conn = secure.NetConn()
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}

// Malformed answers with something that is not HTTP, and closes the connection.
func Malformed() Behaviour {
	return func(w http.ResponseWriter, _ *http.Request, _ Call) {
		conn := hijack(w)
		_, _ = io.WriteString(conn, "220 mail.example ESMTP ready\r\n")
		_ = conn.Close()
	}
}

func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		abort()
	}
	return conn
}

// HangInBody answers 200 and half of a session, then nothing until the client goes.
func HangInBody(s Session) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c Call) {
		whole := s.payload(c)
		w.Header().Set("Content-Type", jsonType)
		w.Header().Set("Content-Length", strconv.Itoa(len(whole)))
		_, _ = w.Write(whole[:len(whole)/2])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// SlowBody answers with a session, a few bytes at a time with a pause after each.
func SlowBody(bytes int, pause time.Duration, s Session) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c Call) {
		w.Header().Set("Content-Type", jsonType)
		for part := range slices.Chunk(s.payload(c), bytes) {
			_, _ = w.Write(part)
			_ = http.NewResponseController(w).Flush()
			if !wait(r.Context(), pause) {
				return
			}
		}
	}
}
