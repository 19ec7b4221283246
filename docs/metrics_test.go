package docs_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// TestSeries counts the series of a session, for docs/metrics.md.
func TestSeries(t *testing.T) {
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-token", hmpsim.Valid(hmpsim.ExampleSession()))
	hmp.AddKey(canary.Word+"-key", canary.Word+"-secret", hmpsim.Valid(hmpsim.ExampleSession()))
	l, err := hmp.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file := filepath.Join(t.TempDir(), "hmp.yml")
	exportertest.WriteFile(t, file, `
targets:
  - name: studio
    url: `+l.URL+`
    sessions:
      - {name: token, token: `+canary.Word+`-token}
      - {name: key, api_key: `+canary.Word+`-key, api_secret: `+canary.Word+`-secret}
`)
	p := startExporter(t, "--config.file="+file)
	count := func(session string) (n int) {
		_, body := p.Get(t, "/probe?target=studio&session="+session)
		for line := range strings.Lines(body) {
			if strings.Contains(line, `session="`+session+`"`) {
				n++
			}
		}
		return n
	}
	exportertest.CheckTables(t, "docs/metrics.md", *update, map[string]string{"series": fmt.Sprintf(
		"| a session that is valid | series |\n| --- | --- |\n| with a token | %d |\n| with an API key | %d |\n",
		count("token"), count("key"))})
}
