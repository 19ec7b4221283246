package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// documents returns the README and the pages in docs/.
func documents(t *testing.T) []string {
	t.Helper()
	return append(glob(t, "../../docs/*.md"), "../../README.md")
}

// TestDocumentedScrapes checks all Prometheus configurations in the documents and in deploy/
// with promtool. Each scrape of the exporter must keep the exporter's labels.
func TestDocumentedScrapes(t *testing.T) {
	texts := map[string]string{}
	for _, file := range glob(t, "../../deploy/prometheus/*.yml") {
		texts[filepath.Base(file)] = read(t, file)
	}
	for _, page := range append(documents(t), "../../deploy/README.md") {
		for i, block := range yamlBlock.FindAllStringSubmatch(read(t, page), -1) {
			if strings.Contains(block[1], "scrape_configs:") {
				texts[fmt.Sprintf("%s %d", filepath.Base(page), i)] = scrapeConfig(t, block[1])
			}
		}
	}
	jobs := 0
	for name, text := range texts {
		// The files that a configuration names are on the reader's machine.
		run(t, tool("promtool"), "check", "config", "--syntax-only", write(t, t.TempDir(), "prometheus.yml", text))
		var config struct {
			Jobs []struct {
				Name  string `yaml:"job_name"`
				Honor bool   `yaml:"honor_labels"`
			} `yaml:"scrape_configs"`
		}
		if err := yaml.Unmarshal([]byte(text), &config); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, job := range config.Jobs {
			if strings.HasPrefix(job.Name, "hmp") {
				if jobs++; !job.Honor {
					t.Errorf("%s: job %s lacks honor_labels", name, job.Name)
				}
			}
		}
	}
	if jobs < 9 {
		t.Errorf("found only %d scrapes of the exporter", jobs)
	}
}

// scrapeConfig returns the Prometheus configuration in a text. The text may be a configuration
// of the OpenTelemetry collector.
func scrapeConfig(t *testing.T, text string) string {
	t.Helper()
	var collector struct {
		Receivers struct {
			Prometheus struct {
				Config map[string]any `yaml:"config"`
			} `yaml:"prometheus"`
		} `yaml:"receivers"`
	}
	if err := yaml.Unmarshal([]byte(text), &collector); err != nil {
		t.Fatal(err)
	}
	if config := collector.Receivers.Prometheus.Config; config != nil {
		return toYAML(t, config)
	}
	return text
}

var promqlBlock = regexp.MustCompile("(?s)```promql\n(.*?)\n```")

// checkDocumentedQueries evaluates the queries in the documents. Each returns something.
func (p prometheus) checkDocumentedQueries(t *testing.T) {
	t.Helper()
	queries := 0
	for _, page := range documents(t) {
		for _, block := range promqlBlock.FindAllStringSubmatch(read(t, page), -1) {
			queries++
			exportertest.WaitFor(t, "a result of "+block[1], func() bool { return len(p.query(t, block[1])) > 0 })
		}
	}
	if queries < 15 {
		t.Errorf("found only %d queries", queries)
	}
}

const runbook = "../../docs/runbook.md"

// runbookSections returns the text of each section of the runbook by its anchor.
func runbookSections(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, part := range regexp.MustCompile(`(?m)^#+ `).Split(read(t, runbook), -1)[1:] {
		title, text, _ := strings.Cut(part, "\n")
		if _, twice := found[anchor(title)]; twice {
			t.Errorf("two sections of the runbook have the anchor %s", anchor(title))
		}
		found[anchor(title)] = text
	}
	return found
}

// anchor returns the anchor that GitHub gives a heading.
func anchor(title string) string {
	text := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(title), "")
	return strings.ReplaceAll(text, " ", "-")
}

// TestRunbook checks that the runbook has a section on each alert, result and error code.
func TestRunbook(t *testing.T) {
	sections, alerts := runbookSections(t), shippedAlerts(t)
	for name, alert := range alerts {
		link := "https://hmp-exporter.example/docs/runbook.md#" + anchor(name)
		if alert.Annotations["runbook_url"] != link {
			t.Errorf("the runbook of %s is at %s, want %s", name, alert.Annotations["runbook_url"], link)
		}
		severity := map[string]string{"critical": "**critical", "warning": "**warning", "info": "**info", "none": "**always"}[alert.Labels["severity"]]
		for _, part := range []string{"**it means:**", severity, "**look**", "**do", "**do not**"} {
			if !strings.Contains(strings.ToLower(sections[anchor(name)]), part) {
				t.Errorf("the section on %s lacks %s", name, part)
			}
		}
	}
	for anchor := range sections {
		isAlert := func(r rule) bool { return strings.EqualFold(r.Alert, anchor) }
		if strings.HasPrefix(anchor, "hmp") && anchor != "hmps-and-sessions-that-fail" && !slices.ContainsFunc(shippedRules(t), isAlert) {
			t.Errorf("the runbook has a section %s, but there is no such alert", anchor)
		}
	}
	var want []string
	for _, r := range hmp.Results {
		want = append(want, "result-"+string(r.Result))
	}
	codes := regexp.MustCompile("(?m)^\\| `(\\d{6}|other)` \\|").FindAllStringSubmatch(read(t, "../../docs/metrics.md"), -1)
	if len(codes) == 0 {
		t.Error("docs/metrics.md has no table of error codes")
	}
	for _, code := range codes {
		want = append(want, "error-"+code[1])
	}
	for _, section := range want {
		if strings.TrimSpace(sections[section]) == "" {
			t.Errorf("the runbook has nothing on %s", section)
		}
	}
}

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?\n)```")

// TestRunbookCertificates runs the runbook's command that shows a certificate chain. It must
// show all certificates: each may be the one that expires first.
func TestRunbookCertificates(t *testing.T) {
	need(t, "openssl")
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	chain, err := authority.Certificate(hmpsim.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	authorityPEM, _ := pem.Decode(authority.PEM())
	chain.Certificate = append(chain.Certificate, authorityPEM.Bytes)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{chain}}
	server.StartTLS()
	defer server.Close()

	block := shellBlock.FindStringSubmatch(runbookSections(t)[anchor("HMPCertificateExpiringSoon")])
	if len(block) != 2 || !strings.Contains(block[1], "<hmp>:443") {
		t.Fatal("the runbook has no command that shows the certificates of <hmp>:443")
	}
	shown := run(t, "sh", "-c", strings.ReplaceAll(block[1], "<hmp>:443", server.Listener.Addr().String()))
	got, want := strings.ReplaceAll(shown, "CN=", "CN = "), "" // OpenSSL 3.2 and later
	for _, der := range chain.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		want += fmt.Sprintf("subject=CN = %s\nnotAfter=%s GMT\n", c.Subject.CommonName, c.NotAfter.UTC().Format("Jan _2 15:04:05 2006"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("certificates (-want +got):\n%s", diff)
	}
}
