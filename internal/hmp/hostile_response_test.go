package hmp

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A server may send any bytes. The call ends in time with one answer, after one connection. The
// answer repeats no text of the server.
func FuzzResponse(f *testing.F) {
	const body = `{"data":{"authToken":"CANARY-other","serviceMessages":["CANARY"]}}`
	for _, response := range []string{
		"", "\r\n\r\n", "HTTP/1.1", "CANARY\r\n\r\n", "SSH-2.0-OpenSSH_9.2 CANARY\r\n", "\x16\x03\x01\x02\x00\x01", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 200\r\n\r\n",
		"HTTP/1.1 200 CANARY\r\nContent-Length: 65\r\n\r\n" + body,
		"HTTP/1.1 200 OK\r\nContent-Length: 65\r\nContent-Length: 66\r\n\r\n" + body,
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + body,
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + body,
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n" + body + "\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n41;CANARY=1\r\n" + body + "\r\n0\r\nTrailer: CANARY\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n" + body,
		"HTTP/1.0 200 OK\r\n\r\n" + body, "HTTP/1.1 200 OK\r\n\r\n" + body + "CANARY",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 206 Partial\r\n\r\n" + body,
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: CANARY\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + body,
		strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: CANARY\r\nConnection: Upgrade\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/?code=CANARY#CANARY\r\nRefresh: 0; url=https://CANARY.example\r\n\r\n", "HTTP/1.1 304 CANARY\r\n\r\n",
		"HTTP/1.1 401 CANARY\r\nWWW-Authenticate: Bearer CANARY\r\n\r\n" + `{"code":"020001","message":"User has no roles assigned CANARY"}`,
		"HTTP/1.1 400 Bad\r\n\r\n" + `{"code":"CANARY","message":"CANARY"}`, "HTTP/1.1 404 Not Found\r\n\r\n<html>CANARY",
		"HTTP/1.1 407 No\r\nProxy-Authenticate: CANARY\r\n\r\n", "HTTP/1.1 429 Slow\r\nRetry-After: 99999999999999999999\r\n\r\n",
		"HTTP/1.1 503 Away\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n\r\n" + `{"code":"090002"}`, "HTTP/1.1 500 Oops\r\nContent-Length: 99\r\n\r\n" + `{"code":"070000"`,
		"HTTP/1.1 200 OK\r\nCANARY\r\n\r\n", "HTTP/1.1 200 OK\r\n CANARY: 1\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n" + body, "HTTP/1.1 200 OK\r\nA: \x00CANARY\r\n\r\n",
		"HTTP/1.1 000 CANARY\r\n\r\n", "HTTP/1.1 999 CANARY\r\n\r\n", "HTTP/1.1 -20 CANARY\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n" + body,
		"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("CANARY", 12<<10),
	} {
		f.Add([]byte(response), true)
		f.Add([]byte(response), false)
	}
	// net/http logs bytes on an idle connection in full.
	log.SetOutput(io.Discard)
	f.Cleanup(func() { log.SetOutput(os.Stderr) })
	calls := map[string]caller{"GET": session, "POST": login}
	f.Fuzz(func(t *testing.T, response []byte, closes bool) {
		for method, call := range calls {
			synctest.Test(t, func(t *testing.T) {
				server := &rawServer{response: response, closes: closes}
				began := time.Now()
				a, token := server.call(t, call)
				took := time.Since(began)

				checkAnswer(t, &a)
				checkToken(t, token)
				if text := fmt.Sprintf("%+v", a); strings.Contains(text, "CANARY") {
					t.Errorf("%s: the answer has a secret: %s", method, text)
				}
				if took > callTimeout || (took == callTimeout) != (a.Result == Timeout) && a.Result != HTTPError && a.Result != LoginRejected {
					t.Errorf("%s: it took %v to come to %s", method, took, a.Result)
				}
				if p := a.Phases; p.Resolve+p.Connect+p.TLS+p.Processing+p.Transfer > took {
					t.Errorf("%s: the phases took more than %v: %+v", method, took, p)
				}
				if server.dials != 1 || a.Rotated && (method == "POST" || a.Result != Valid) || token != "" && a.Result != Valid {
					t.Errorf("%s: %+v after %d connections, with a token of %d bytes", method, a, server.dials, len(token))
				}
			})
		}
	})
}

// TestIncompleteResponses has the results of responses that break off or hang, to a GET and to
// a login, beside those of the fault matrix.
func TestIncompleteResponses(t *testing.T) {
	for _, tt := range []struct {
		answer     string
		closes     bool
		get, login Result
	}{
		{"101 Switching Protocols\r\n\r\n", true, HTTPError, HTTPError},
		{"200 OK\r\n\r\n{\"data\":{\"authToken\":\"a\"}}", false, Timeout, Timeout},
		{"200 OK\r\nContent-Length: 100\r\n\r\n{\"code\":\"020002\"}", true, BadPayload, BadPayload},
		{"200 OK\r\nContent-Length: 1048577\r\n\r\n{\"data\":{}}", false, BadPayload, BadPayload},
		{"202 Accepted\r\n\r\n{", false, HTTPError, Timeout},
		{"302 Found\r\n\r\n{", false, Redirect, Redirect},
		{"401 No\r\n\r\n{\"code\":\"020001\"", false, Timeout, LoginRejected},
		{"401 No\r\nContent-Length: 100\r\n\r\n{\"code\":\"020001\"", true, Unauthorized, LoginRejected},
		{"418 No\r\n\r\n", false, HTTPError, Timeout},
		{"500 No\r\n\r\n{\"code\":\"07", false, Timeout, Timeout},
		{"502 No\r\n\r\n<html>", false, HTTPError, HTTPError},
		{"503 No\r\nRetry-After: 60\r\n\r\n", true, HTTPError, HTTPError},
	} {
		for want, call := range map[*Result]caller{&tt.get: session, &tt.login: login} {
			synctest.Test(t, func(t *testing.T) {
				a, _ := (&rawServer{response: []byte("HTTP/1.1 " + tt.answer), closes: tt.closes}).call(t, call)
				if a.Result != *want || (a.RetryAfter == time.Minute) != strings.Contains(tt.answer, "Retry-After") {
					t.Errorf("%.60q: got %+v, want %s", tt.answer, a, *want)
				}
			})
		}
	}
}

// callTimeout is the time that a call has by the clock of a bubble.
const callTimeout = 10 * time.Second

// A rawServer answers a request with given bytes. Then it closes the connection, or waits until
// the client does.
type rawServer struct {
	response []byte
	closes   bool
	dials    int
}

// call makes one call to the server.
func (s *rawServer) call(t *testing.T, call caller) (Answer, string) {
	t.Helper()
	client := newClient(t, "http://hmp.example", keepAlive, func(o *Options) { o.Dial = s.dial })
	ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
	defer cancel()
	a, token := call(ctx, client)
	return a, token.Reveal()
}

func (s *rawServer) dial(context.Context, string, string) (net.Conn, error) {
	s.dials++
	near, conn := net.Pipe()
	go func() {
		defer conn.Close()
		request, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		_, _ = conn.Write(s.response)
		if !s.closes {
			_, _ = io.Copy(io.Discard, conn)
		}
	}()
	return near, nil
}
