package app

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// An HMP that says more on a kept connection than it was asked for is not repeated in
// the log, to which net/http would write it.
func TestLogOfUnaskedAnswers(t *testing.T) {
	hmp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hmp.Close()
	closed := make(chan struct{}, 100)
	go func() {
		for {
			conn, err := hmp.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				requests := bufio.NewReader(conn)
				if _, err := http.ReadRequest(requests); err != nil {
					return
				}
				session := `{"data":{}}`
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s%s", len(session), session, `{"authToken":"`+canary.Word+`"}`)
				_, _ = io.Copy(io.Discard, requests) // until the exporter has had enough
				closed <- struct{}{}
			}()
		}
	}()

	file := t.TempDir() + "/hmp.yml"
	exportertest.WriteFile(t, file, fmt.Sprintf("targets: [{name: studio, url: 'http://%s', keep_alive: true, sessions: [{name: a, token: t}]}]", hmp.Addr()))
	p := start(t, "--config.file="+file, "--log.level=debug")
	for range 10 {
		if _, body := p.Get(t, "/probe?target=studio"); !strings.Contains(body, `hmp_session_valid{session="a",target="studio"} 1`) {
			t.Errorf("the session is not valid:\n%s", body)
		}
		<-closed
	}
	if err := p.Stop(t); err != nil {
		t.Error(err)
	}
	if strings.Contains(p.Log.String(), "authToken") {
		t.Errorf("the output repeats it:\n%s", p.Log)
	}
}
