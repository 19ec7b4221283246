package web

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

const password = canary.Word + "-password"

var basicAuth = "Basic " + base64.StdEncoding.EncodeToString([]byte("prometheus:"+password))

// secured writes a web configuration with TLS and a user, and returns it with the TLS of a
// client.
func secured(t *testing.T) (webConfig string, client *tls.Config) {
	t.Helper()
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Certificate(hmpsim.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	exportertest.WriteFile(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})))
	exportertest.WriteFile(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	webConfig = filepath.Join(dir, "web.yml")
	exportertest.WriteFile(t, webConfig, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {prometheus: "+string(hash)+"}\n")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	now := time.Now() // certificates do not follow a fake clock
	return webConfig, &tls.Config{RootCAs: roots, ServerName: "localhost", Time: func() time.Time { return now }}
}

// TestSlowProbe is that the time to read an answer begins after the probes, on each scrape of a
// kept connection, with and without HTTP/2.
func TestSlowProbe(t *testing.T) {
	webConfig, clientTLS := secured(t)
	slowProbe := func(t *testing.T, webConfig string, clientTLS *tls.Config) {
		f := &fake{results: validResults(1), gates: map[string]chan struct{}{"": make(chan struct{})}}
		s := newPipeServer(t, newHandler(t, f), webConfig, clientTLS)
		for range 2 {
			time.AfterFunc(3*writeTimeout, func() { f.gates[""] <- struct{}{} }) // of the fake clock
			s.get("/metrics").want(t, http.StatusOK, playout)
			time.Sleep(3 * writeTimeout) // of the fake clock
			s.get("/-/healthy").want(t, http.StatusOK)
		}
	}
	synctest.Test(t, func(t *testing.T) { slowProbe(t, "", nil) })
	synctest.Test(t, func(t *testing.T) { slowProbe(t, webConfig, clientTLS) })
}

// TestSecuredHostile is that with TLS and a password no client holds a connection for longer than
// without.
func TestSecuredHostile(t *testing.T) {
	webConfig, clientTLS := secured(t)
	for name, c := range map[string]struct {
		say    string
		within time.Duration
		answer string // how it begins
	}{
		"nothing":                       {"", headerTimeout, ""},
		"half a request":                {"GET /met", headerTimeout, "HTTP/1.1 400"},
		"no end of the header":          {scrape(basicAuth, ""), headerTimeout, ""},
		"a body that does not come":     {scrape(basicAuth, "Content-Length: 10\r\n\r\n"), bodyTimeout, "HTTP/1.1 413 "},
		"no password, and no body":      {scrape("", "Content-Length: 10\r\n\r\n"), writeTimeout, ""},
		"no password, and half a chunk": {scrape("", chunked+"\r\n5\r\na"), writeTimeout, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newPipeServer(t, newHandler(t, &fake{results: validResults(1)}), webConfig, clientTLS)
				got := talk(t, s.dial(clientTLS), saying(0, c.say), 0)
				got.within(t, c.within+2*time.Second)
				if !strings.HasPrefix(got.answer, c.answer) {
					t.Errorf("the answer is %.100q, want %q", got.answer, c.answer)
				}
			})
		})
	}
	t.Run("no handshake", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newPipeServer(t, newHandler(t, new(fake)), webConfig, clientTLS)
			talk(t, s.dial(nil), saying(0, "\x16\x03\x01"), 0).within(t, headerTimeout)
		})
	})
}

// scrape returns a request with a password, unless it is "", and the rest of its header.
func scrape(authorization, rest string) string {
	if authorization != "" {
		rest = "Authorization: " + authorization + "\r\n" + rest
	}
	return "GET /metrics HTTP/1.1\r\nHost: localhost\r\n" + rest
}

// TestSlowReaderOfHTTP2 has a scraper ask again and again on one connection and read nothing.
// The deadlines of its streams do not bound the writes to the connection.
func TestSlowReaderOfHTTP2(t *testing.T) {
	webConfig, clientTLS := secured(t)
	synctest.Test(t, func(t *testing.T) {
		s := newPipeServer(t, newHandler(t, &fake{results: validResults(1)}, maxRequests(1)), webConfig, clientTLS)
		reader := clientTLS.Clone()
		reader.NextProtos = []string{"h2"}
		conn := s.dial(reader)
		defer conn.Close()
		go func() {
			var header bytes.Buffer
			encoder := hpack.NewEncoder(&header)
			for name, value := range map[string]string{":method": "GET", ":scheme": "https", ":authority": "localhost", ":path": "/metrics"} {
				_ = encoder.WriteField(hpack.HeaderField{Name: name, Value: value})
			}
			_ = encoder.WriteField(hpack.HeaderField{Name: "authorization", Value: basicAuth})
			_, _ = io.WriteString(conn, http2.ClientPreface)
			framer := http2.NewFramer(conn, conn)
			err := framer.WriteSettings()
			for stream := uint32(1); stream < 100 && err == nil; stream += 2 {
				err = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: header.Bytes(), EndStream: true, EndHeaders: true})
			}
		}()
		synctest.Wait()
		time.Sleep(writeTimeout + 10*time.Second) // of the fake clock
		s.do(http.MethodGet, "/metrics").want(t, http.StatusOK, playout)
		start := time.Now()
		s.stop()
		<-s.ended
		if took := time.Since(start); took > 2*writeTimeout {
			t.Errorf("it took %v to end", took)
		}
	})
}
