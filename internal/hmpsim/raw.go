package hmpsim

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
)

const (
	jsonType = "application/json; charset=utf-8"
	htmlType = "text/html; charset=utf-8"
)

// Raw answers with a status, a content type and a body, whatever they are.
func Raw(status int, contentType, body string) Behaviour {
	return BehaviourFunc(func(w http.ResponseWriter, _ *http.Request, _ Call) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// EndpointMissing answers as a web server without the endpoint does, as an HMP
// before 4.1 is one: a 404 that is a page and not an envelope.
func EndpointMissing() Behaviour {
	return BehaviourFunc(func(w http.ResponseWriter, r *http.Request, c Call) {
		text := html.EscapeString("Cannot " + r.Method + " " + r.URL.Path)
		Raw(http.StatusNotFound, htmlType, page("Error", "<pre>"+text+"</pre>")).Serve(w, r, c)
	})
}

// Redirect answers with a status of the 300s that points to location.
func Redirect(status int, location string) Behaviour {
	return BehaviourFunc(func(w http.ResponseWriter, r *http.Request, _ Call) {
		http.Redirect(w, r, location, status)
	})
}

// BadGateway answers as a reverse proxy does whose HMP is away: a 502 that is a
// page and not an envelope.
func BadGateway() Behaviour {
	return Raw(http.StatusBadGateway, htmlType, page("502 Bad Gateway", "<h1>502 Bad Gateway</h1>"))
}

// LoginPage answers 200 with a page: a portal, or a web application that sends
// its start page for every path.
func LoginPage() Behaviour {
	return Raw(http.StatusOK, htmlType, page("Sign in", "<h1>Sign in</h1>"))
}

// CutOff answers 200 with half of a session and closes the connection. The
// length in the header is that of the whole.
func CutOff(s Session) Behaviour {
	return BehaviourFunc(func(w http.ResponseWriter, _ *http.Request, c Call) {
		half := sendHalf(w, s, c)
		_, _ = w.Write(half)
		// net/http sees that the promised length was not reached, and closes.
	})
}

// CutOffChunked is [CutOff] without a length in the header, so that only the
// missing last chunk tells that the body is not whole.
func CutOffChunked(s Session) Behaviour {
	return BehaviourFunc(func(w http.ResponseWriter, _ *http.Request, c Call) {
		half := sendHalf(w, s, c)
		w.Header().Del("Content-Length")
		_, _ = w.Write(half)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // the documented way to drop a connection
	})
}

// BadPayloads returns a behaviour for each way in which the body of a 200 can
// fail to be a session, by a name for tests.
func BadPayloads() map[string]Behaviour {
	ok := func(body string) Behaviour { return Raw(http.StatusOK, jsonType, body) }
	return map[string]Behaviour{
		"login page":       LoginPage(),
		"empty":            ok(""),
		"space":            ok(" \n"),
		"not JSON":         ok("session ok"),
		"array":            ok(`[{"data":{}}]`),
		"string":           ok(`"data"`),
		"null":             ok("null"),
		"no data":          ok(`{"session":{}}`),
		"data null":        ok(`{"data":null}`),
		"data array":       ok(`{"data":[]}`),
		"data string":      ok(`{"data":"session"}`),
		"not closed":       ok(`{"data":{"admin":true}`),
		"followed by more": ok(`{"data":{}}{"data":{}}`),
		"deep nesting":     ok(`{"data":` + strings.Repeat("[", 100_000)),
		"cut off":          CutOff(ExampleSession()),
		"cut off chunked":  CutOffChunked(ExampleSession()),
	}
}

// page is a small HTML document.
func page(title, body string) string {
	return fmt.Sprintf("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>%s</title></head>\n"+
		"<body>%s</body>\n</html>\n", title, body)
}
