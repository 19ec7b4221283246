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

// newExchange tells of a call and the response to it, which may be nil.
func newExchange(x *call, resp *http.Response, a *Answer, m *mask) Exchange {
	e := Exchange{
		Method:     x.method,
		Result:     a.Result,
		Request:    sentHeader(x.method, x.header),
		StatusCode: a.StatusCode,
		Took:       a.Phases.Total(),
	}
	if resp != nil {
		e.Proto, e.Response = proto(resp), receivedHeader(resp.Header, m)
	}
	return e
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
