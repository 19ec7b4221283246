package web

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// TestSlowReaderOfHTTP2 has a scraper ask again and again on one connection and read
// nothing. What is written to it is not bounded by the time of a stream, as it is
// many streams that wait for one connection.
func TestSlowReaderOfHTTP2(t *testing.T) {
	webConfig, clientTLS := secured(t)
	clientTLS.ServerName, clientTLS.Time, clientTLS.NextProtos = "localhost", realTime(), []string{"h2"}
	synctest.Test(t, func(t *testing.T) {
		pipe, stop, ended := serveSecured(t, webConfig)
		conn := dialTLS(t, pipe, clientTLS)
		defer conn.NetConn().Close()
		go func() {
			_, _ = io.WriteString(conn, http2.ClientPreface)
			framer := http2.NewFramer(conn, conn)
			_ = framer.WriteSettings()
			for stream := uint32(1); stream < 100; stream += 2 {
				if framer.WriteHeaders(http2.HeadersFrameParam{
					StreamID: stream, BlockFragment: scrapeHeader(), EndStream: true, EndHeaders: true,
				}) != nil {
					return // it has been cut off
				}
			}
		}()
		synctest.Wait()
		time.Sleep(writeTimeout + 10*time.Second) // of the fake clock, with that of a goodbye

		client := newClient(t)
		transport := client.Transport.(*http.Transport)
		transport.DialContext, transport.TLSClientConfig = pipe.DialContext, clientTLS.Clone()
		transport.TLSClientConfig.NextProtos = nil
		do(t, client, http.MethodGet, "https://localhost/metrics", "Authorization", "Basic "+basicAuth).want(t, http.StatusOK, playout)
		transport.CloseIdleConnections()

		start := time.Now()
		stop()
		<-ended
		if took := time.Since(start); took > 2*writeTimeout {
			t.Errorf("it took %v to end", took)
		}
	})
}

// scrapeHeader is that of a scrape with a password.
func scrapeHeader() []byte {
	var b bytes.Buffer
	encoder := hpack.NewEncoder(&b)
	for _, field := range [][2]string{
		{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/metrics"},
		{"authorization", "Basic " + basicAuth},
	} {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	return b.Bytes()
}
