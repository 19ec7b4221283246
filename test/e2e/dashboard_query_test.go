package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A series is one of what a query of a dashboard returns, whatever its values are.
type series struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"` // of a query for one moment
}

// evaluate asks for a query of a dashboard as Grafana does.
func (p prometheus) evaluate(t *testing.T, q boardQuery, c choice) ([]series, error) {
	t.Helper()
	expr := c.interpolate(t, q.expr)
	now := time.Now()
	var path string
	form := url.Values{}
	switch {
	case q.panel == "variable":
		return p.values(t, q.label, expr)
	case q.rows:
		path = "/query"
		form.Set("time", seconds(now))
	default:
		path = "/query_range"
		form.Set("start", seconds(now.Add(-15*time.Minute)))
		form.Set("end", seconds(now))
		form.Set("step", "60")
	}
	form.Set("query", expr)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.api+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer struct{ Result []series }
	if err := p.ask(req, &answer); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", q.where, err, expr)
	}
	return answer.Result, nil
}

// values are those of a label, each as a series that has nothing else.
func (p prometheus) values(t *testing.T, label, match string) (list []series, err error) {
	t.Helper()
	address := p.api + "/label/" + label + "/values?" + url.Values{"match[]": {match}}.Encode()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	var values []string
	if err := p.ask(req, &values); err != nil {
		return nil, fmt.Errorf("values of %s: %w\n%s", label, err, match)
	}
	for _, v := range values {
		list = append(list, series{Metric: map[string]string{label: v}})
	}
	return list, nil
}

// ask sends a request and decodes the data of the answer.
func (p prometheus) ask(req *http.Request, data any) error {
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer := struct {
		Error string
		Data  any
	}{Data: data}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return fmt.Errorf("decode the answer: %w", err)
	}
	if answer.Error != "" || res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %s", res.StatusCode, answer.Error)
	}
	return nil
}

func seconds(t time.Time) string { return fmt.Sprintf("%.3f", float64(t.UnixMilli())/1e3) }
