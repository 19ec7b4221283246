package faults

import (
	"fmt"
	"net/http"
	"strings"
)

// each is a script that calls answer for every request on the connection.
func each(answer func(p *peer, r *http.Request)) script {
	return func(p *peer) {
		for r := p.request(); r != nil; r = p.request() {
			answer(p, r)
		}
	}
}

// says is a script that answers every request with a text.
func says(text string) script {
	return each(func(p *peer, _ *http.Request) { p.say(text) })
}

// saysAnd answers the first request with a text, and then does something else.
func saysAnd(text string, then func(p *peer)) script {
	return func(p *peer) {
		if p.request() != nil && p.say(text) {
			then(p)
		}
	}
}

// does is a script that does something once a request is there.
func does(then func(p *peer)) script { return saysAnd("", then) }

// response is the text of one, with a body of JSON and headers beside the usual ones.
func response(status int, body string, header ...string) string {
	return head(status, append(header, fmt.Sprintf("Content-Length: %d", len(body)))...) + body
}

// head is the head of a response.
func head(status int, header ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n", status, http.StatusText(status))
	for _, h := range header {
		b.WriteString(h + "\r\n")
	}
	return b.String() + "\r\n"
}

// ok answers every request with 200 and a body.
func ok(body string, header ...string) script { return says(response(http.StatusOK, body, header...)) }

// session is a session as HMP sends it: with another token, and with what tells who
// the user is. Fields are added at the end, each as a name and JSON.
func session(fields ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"data":{"admin":true,"authToken":"%s-next","displayName":"CANARY the User","groups":["CANARY-group"],`+
		`"lastAction":"2025-03-21T19:20:01.099Z","lastLoginDate":"2025-03-21T17:29:07.272Z","numLoginFailures":0,`+
		`"roleIds":["912cf463"],"sessionId":"CANARY-id","username":"CANARY-user","serviceMessages":["one","two"]`, token)
	for i := 0; i < len(fields); i += 2 {
		fmt.Fprintf(&b, `,"%s":%s`, fields[i], fields[i+1])
	}
	return b.String() + "}}"
}

// good answers every request as a healthy HMP does.
func good() script { return ok(session()) }

// messages is how many service messages that has.
const goodMessages = 2

func envelope(code, message string) string {
	return fmt.Sprintf(`{"code":%q,"name":"Error","message":%q,"httpStatusCode":500}`, code, message)
}

// page answers every request with a page, as a proxy or a web server does.
func page(status int, body string, header ...string) script {
	header = append(header, fmt.Sprintf("Content-Length: %d", len(body)))
	return says(strings.Replace(head(status, header...), "application/json", "text/html", 1) + body)
}

// endlessHeaders begins an answer whose headers never end.
func endlessHeaders() script {
	return does(func(p *peer) {
		p.say("HTTP/1.1 200 OK\r\n")
		p.repeat("X-Filler: 0123456789\r\n", -1)
	})
}
