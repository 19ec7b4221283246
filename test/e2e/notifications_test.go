package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"hmp_exporter/internal/canary"
)

// A notification is what Alertmanager posts to a webhook.
type notification struct {
	Receiver    string
	Status      string
	Labels      map[string]string `json:"commonLabels"`
	Annotations map[string]string `json:"commonAnnotations"`
	Alerts      []struct {
		Labels      map[string]string
		Annotations map[string]string
	}
}

// String returns "receiver: status alert target/sessions".
func (n notification) String() string {
	var sessions []string
	for _, a := range n.Alerts {
		sessions = append(sessions, a.Labels["session"])
	}
	slices.Sort(sessions)
	return fmt.Sprintf("%s: %s %s %s/%s", n.Receiver, n.Status, n.Labels["alertname"], n.Labels["target"], strings.Join(sessions, ","))
}

// A receiver is a webhook that stores notifications.
type receiver struct {
	url string

	mu            sync.Mutex
	notifications []notification
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := new(receiver)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		canary.Check(t, "a notification", string(body))
		var n notification
		if err := errors.Join(err, json.Unmarshal(body, &n)); err != nil {
			t.Errorf("a notification cannot be read: %v", err)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.notifications = append(r.notifications, n)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// find returns the first notification about an alert of a target.
func (r *receiver) find(alert, target, status string) (notification, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.notifications {
		if n.Labels["alertname"] == alert && n.Labels["target"] == target && n.Status == status {
			return n, nil
		}
	}
	return notification{}, fmt.Errorf("there were only %q", r.notifications)
}

// all returns all notifications except those of HMPWatchdog, sorted.
func (r *receiver) all() (all []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.notifications {
		if n.Labels["alertname"] != "HMPWatchdog" {
			all = append(all, n.String())
		}
	}
	slices.Sort(all)
	return all
}
