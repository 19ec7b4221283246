package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hmp_exporter/internal/hmpsim"
)

// A fault is what happens to one simulated HMP, and who is told of it.
type fault struct {
	target   string
	sessions []string // they have fixed tokens, unless the fault is about a key
	options  string   // of the target's configuration

	occur, mend func(*faultyHMP)
	sessionless bool // the alert is about the HMP

	alert, receiver, severity string
	summary, says             string   // says is a part of each description
	told                      []string // the sessions that the notification is about; all where there are none
	silent                    []string // alerts that there are and that nobody is told of
	lasting                   bool     // it is not mended
}

// faults are those of the end-to-end test. Each has an HMP of its own, so that all happen at once.
func faults() []fault {
	all := func(b hmpsim.Behaviour) func(*faultyHMP) { return func(h *faultyHMP) { h.sim.SetOutage(b) } }
	over := all(nil)
	return []fault{
		{
			target: "directory", sessions: []string{"ingest", "playout", "proxied"},
			occur: all(func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
				if strings.HasSuffix(c.Token, "proxied") {
					hmpsim.BadGateway()(w, r, c)
					return
				}
				hmpsim.AuthUnavailable()(w, r, c)
			}),
			mend: over, alert: "HMPAuthServiceUnavailable", receiver: "page", severity: "critical",
			summary: "HMP directory cannot reach its authentication server.", says: "do not replace it",
			told: []string{"ingest", "playout"}, silent: []string{"HMPSessionInvalid"},
		},
		{
			target: "roles", sessions: []string{"playout"},
			occur: all(hmpsim.NoRoles()), mend: over,
			alert: "HMPSessionNoRoles", receiver: "page", severity: "critical",
			summary: "A user of HMP roles has no role.", says: "session playout of roles",
		},
		{
			target: "key", sessions: []string{"playout"},
			occur: func(h *faultyHMP) {
				h.sim.RegenerateKey(h.key(), "another")
				h.sim.RevokeTokens(h.key())
			},
			mend: func(h *faultyHMP) {
				h.sim.RegenerateKey(h.key(), h.secret("second"))
				h.writeSecret("second")
			},
			alert: "HMPSessionLoginRejected", receiver: "page", severity: "critical",
			summary: "HMP key refuses an API key.", says: "session playout of key",
			silent: []string{"HMPSessionLoginSuspended"},
		},
		{
			target: "internal", sessions: []string{"playout"},
			occur: all(hmpsim.InternalError("Unexpected error")), mend: over,
			alert: "HMPInternalError", receiver: "page", severity: "critical",
			summary: "HMP internal has an internal error.", says: "calypso.log",
		},
		{
			target: "away", sessions: []string{"archive", "ingest", "playout"},
			occur: (*faultyHMP).goAway, mend: (*faultyHMP).comeBack, sessionless: true,
			alert: "HMPUnreachable", receiver: "page", severity: "critical",
			summary: "HMP away does not answer.", says: "3 failed, by result: connect (3)",
		},
		{
			target: "messages", sessions: []string{"ingest", "playout"}, options: "service_message_text: true",
			occur: func(h *faultyHMP) {
				h.serve("ingest", "Storage is almost full (CANARY)")
				h.serve("playout", "Storage is almost full (CANARY)", "A license ends (CANARY)")
			},
			mend: func(h *faultyHMP) {
				h.serve("ingest")
				h.serve("playout")
			},
			sessionless: true,
			alert:       "HMPServiceMessages", receiver: "ticket", severity: "warning",
			summary: "HMP messages has service messages.", says: "up to 2 service messages for each of these sessions: ingest, playout",
		},
		{
			target: "latency", sessions: []string{"playout"},
			occur: all(hmpsim.Delay(2500*time.Millisecond, hmpsim.Valid(user()))), mend: over,
			alert: "HMPSessionLatencyHigh", receiver: "ticket", severity: "warning",
			summary: "HMP latency answers slowly.", says: "session playout of latency take 2.5",
		},
		{
			target: "lasting", sessions: []string{"playout"},
			occur: all(hmpsim.UnknownSession()), lasting: true,
			alert: "HMPSessionUnauthorized", receiver: "page", severity: "critical",
			summary: "HMP lasting does not accept a token.", says: "session playout of lasting",
		},
	}
}

// A faultyHMP is a simulated one and the files of its sessions' secrets.
type faultyHMP struct {
	fault
	dir       string
	sim       *hmpsim.Server
	listening *hmpsim.Listening
	t         *testing.T
}

func newHMP(t *testing.T, f fault, dir string) *faultyHMP {
	t.Helper()
	h := &faultyHMP{fault: f, dir: dir, sim: hmpsim.New(), t: t}
	if f.target == "key" {
		h.sim.AddKey(h.key(), h.secret("first"), hmpsim.Valid(user()))
		h.write("key", h.key())
		h.writeSecret("first")
	} else {
		for _, session := range f.sessions {
			h.serve(session)
			h.write(session, h.token(session))
		}
	}
	h.listen("127.0.0.1:0")
	t.Cleanup(func() { h.listening.Close() })
	return h
}

// user is one of HMP's without service messages, who is no administrator.
func user(messages ...string) hmpsim.Session {
	s := hmpsim.ExampleSession()
	s.Admin, s.Roles[0].Admin = false, false
	s.ServiceMessages = append([]string{}, messages...)
	return s
}

func (h *faultyHMP) token(session string) string { return "CANARY-" + h.target + "-" + session }
func (h *faultyHMP) key() string                 { return "CANARY-" + h.target + "-key" }
func (h *faultyHMP) secret(which string) string  { return "CANARY-" + h.target + "-" + which }

// serve has a session be valid, with service messages.
func (h *faultyHMP) serve(session string, messages ...string) {
	h.sim.SetToken(h.token(session), hmpsim.Valid(user(messages...)))
}

func (h *faultyHMP) writeSecret(which string) { h.write("secret", h.secret(which)) }

func (h *faultyHMP) write(name, text string) {
	h.t.Helper()
	file := filepath.Join(h.dir, h.target+"."+name)
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		h.t.Fatal(err)
	}
}

func (h *faultyHMP) listen(address string) {
	h.t.Helper()
	listener, err := new(net.ListenConfig).Listen(h.t.Context(), "tcp", address)
	if err != nil {
		h.t.Fatal(err)
	}
	if h.listening, err = h.sim.Start(hmpsim.ListenConfig{Listener: listener}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *faultyHMP) goAway()   { h.listening.Close() }
func (h *faultyHMP) comeBack() { h.listen(strings.TrimPrefix(h.listening.URL, "http://")) }

// config is the target in the exporter's configuration. Two seconds and a half are slow, and in time.
func (h *faultyHMP) config() string {
	var text strings.Builder
	fmt.Fprintf(&text, "  - name: %s\n    url: %s\n    timeout: 3s\n", h.target, h.listening.URL)
	if h.options != "" {
		fmt.Fprintf(&text, "    %s\n", h.options)
	}
	text.WriteString("    sessions:\n")
	for _, session := range h.sessions {
		fmt.Fprintf(&text, "      - name: %s\n", session)
		if h.target == "key" {
			fmt.Fprintf(&text, "        api_key_file: %[1]s.key\n        api_secret_file: %[1]s.secret\n", h.target)
		} else {
			fmt.Fprintf(&text, "        token_file: %s.%s\n", h.target, session)
		}
	}
	return text.String()
}
