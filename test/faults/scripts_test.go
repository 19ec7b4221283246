package faults

import (
	"fmt"
	"net/http"
	"strings"
)

// eachRequest returns a script that calls answer for every request.
func eachRequest(answer func(p *peer, r *http.Request)) script {
	return func(p *peer) {
		for r := p.request(); r != nil; r = p.request() {
			answer(p, r)
		}
	}
}

// answers returns a script that answers every request with a text.
func answers(text string) script {
	return eachRequest(func(p *peer, _ *http.Request) { p.write(text) })
}

// answersThen returns a script that answers the first request with a text, then calls then.
func answersThen(text string, then func(p *peer)) script {
	return func(p *peer) {
		if p.request() != nil && p.write(text) {
			then(p)
		}
	}
}

// onRequest returns a script that calls then after the first request.
func onRequest(then func(p *peer)) script { return answersThen("", then) }

// response returns a response with a JSON body and more headers.
func response(status int, body string, header ...string) string {
	return head(status, append(header, fmt.Sprintf("Content-Length: %d", len(body)))...) + body
}

// head returns the head of a response.
func head(status int, header ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n", status, http.StatusText(status))
	for _, h := range header {
		b.WriteString(h + "\r\n")
	}
	return b.String() + "\r\n"
}

// ok returns a script that answers every request with 200 and a body.
func ok(body string, header ...string) script {
	return answers(response(http.StatusOK, body, header...))
}

// session returns a session of HMP with a new token, two service messages and more fields, each
// a name and JSON. The exporter must not export the names of the user.
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

// good returns the script of a healthy HMP.
func good() script { return ok(session()) }

func envelope(code, message string) string {
	return fmt.Sprintf(`{"code":%q,"name":"Error","message":%q,"httpStatusCode":500}`, code, message)
}

// page returns a script that answers with an HTML page, as a proxy or a web server does.
func page(status int, body string, header ...string) script {
	header = append(header, fmt.Sprintf("Content-Length: %d", len(body)))
	return answers(strings.Replace(head(status, header...), "application/json", "text/html", 1) + body)
}

// endlessHeaders returns a script whose response headers never end.
func endlessHeaders() script {
	return onRequest(func(p *peer) {
		p.write("HTTP/1.1 200 OK\r\n")
		p.repeat("X-Filler: 0123456789\r\n", -1)
	})
}
