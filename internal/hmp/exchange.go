package hmp

import (
	"net/http"
	"time"
)

// An Exchange is one request of a probe and the response to it, as far as both are
// harmless to show.
type Exchange struct {
	Method string
	Result Result
	// Request and Response are the headers; Response is "" if there was none.
	Request, Response Header
	// Proto is the version of HTTP that the response came in; "" if there was none.
	Proto string
	// StatusCode is that of the response, 0 if there was none.
	StatusCode int
	// Took is how long all phases took together.
	Took time.Duration
}

// newExchange tells of a request and its response, which may be nil. The secrets are
// kept out of it wherever they stand.
func newExchange(req *http.Request, resp *http.Response, a *Answer, secrets []string) Exchange {
	x := Exchange{
		Method:     req.Method,
		Result:     a.Result,
		Request:    sentHeader(req),
		StatusCode: a.StatusCode,
		Took:       a.Phases.Total(),
	}
	if resp != nil {
		for name, values := range req.Header {
			if !ownValue(req, name) {
				secrets = append(secrets, values...)
			}
		}
		x.Proto, x.Response = proto(resp), receivedHeader(resp.Header, secrets)
	}
	return x
}

// proto names the version of HTTP in words of this side. Those of the response would
// keep its whole status line in memory.
func proto(resp *http.Response) string {
	switch {
	case resp.ProtoAtLeast(2, 0):
		return "HTTP/2"
	case resp.ProtoAtLeast(1, 1):
		return "HTTP/1.1"
	default:
		return "HTTP/1.0"
	}
}
