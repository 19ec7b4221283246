package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A notification is what Alertmanager posts to a webhook.
type notification struct {
	Receiver    string
	Status      string
	Labels      map[string]string `json:"commonLabels"`
	Annotations map[string]string `json:"commonAnnotations"`
	Alerts      []struct {
		Status      string
		Labels      map[string]string
		Annotations map[string]string
	}
}

// String is who is told what about which sessions.
func (n notification) String() string {
	var sessions []string
	for _, a := range n.Alerts {
		sessions = append(sessions, a.Labels["session"])
	}
	slices.Sort(sessions)
	return fmt.Sprintf("%s: %s %s %s/%s", n.Receiver, n.Status, n.Labels["alertname"], n.Labels["target"], strings.Join(sessions, ","))
}

// A journal is a receiver of notifications, which keeps them all in their order.
type journal struct {
	url string

	mu   sync.Mutex
	kept []notification
}

func newJournal(t *testing.T) *journal {
	t.Helper()
	j := &journal{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("failed to read a notification: %v", err)
			return
		}
		noCanary(t, "a notification", string(body))
		var n notification
		if err := json.Unmarshal(body, &n); err != nil {
			t.Errorf("a notification is not JSON: %v", err)
			return
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		j.kept = append(j.kept, n)
	}))
	t.Cleanup(server.Close)
	j.url = server.URL
	return j
}

// about are the notifications so far about an alert of a target, with a status.
func (j *journal) about(alert, target, status string) (found []notification) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, n := range j.kept {
		if n.Labels["alertname"] == alert && n.Labels["target"] == target && n.Status == status {
			found = append(found, n)
		}
	}
	return found
}

// lines are all notifications but those that come all the time, sorted.
func (j *journal) lines() (lines []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, n := range j.kept {
		if n.Labels["alertname"] == "HMPWatchdog" {
			continue
		}
		lines = append(lines, n.String())
	}
	slices.Sort(lines)
	return lines
}
