package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// suffixes are those of the samples of a family by its type. OpenMetrics names the family of
// a counter without its suffix.
var suffixes = map[string][]string{
	"gauge": {""}, "counter": {"_total", "_created"}, "unknown": {""}, "untyped": {""}, "stateset": {""}, "info": {"_info"},
	"summary": {"", "_sum", "_count", "_created"}, "histogram": {"_bucket", "_sum", "_count", "_created"},
}

// TestStrictParser reads all text formats of all metrics as a strict parser does: no name of a
// family or a sample is there twice, and each sample is below its family.
func TestStrictParser(t *testing.T) {
	r := newRig(t, fleet)
	r.get("/metrics") // which makes the families of scrapes
	for _, accept := range []string{
		"", "text/plain;version=1.0.0", "application/openmetrics-text;version=0.0.1", "application/openmetrics-text;version=1.0.0",
		prometheusAccept,
	} {
		for _, path := range []string{"/metrics", "/probe?target=studio"} {
			got := r.get(path, "Accept", accept)
			got.want(t, http.StatusOK)
			open := strings.HasPrefix(got.header.Get("Content-Type"), "application/openmetrics-text")
			if problems := strictly(got.body, open); len(problems) > 0 {
				t.Errorf("%s: %q: %s", path, accept, strings.Join(problems, "\n"))
			}
		}
	}
}

// strictly returns what a strict parser minds in a text.
func strictly(text string, openMetrics bool) (problems []string) {
	families, samples := make(map[string]bool), make(map[string]bool)
	var family, last string
	var allowed []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		last = line
		words := strings.SplitN(line, " ", 4)
		switch {
		case line == "# EOF":
		case strings.HasPrefix(line, "# TYPE "):
			if families[words[2]] {
				problems = append(problems, "twice: "+line)
			}
			family, allowed = words[2], suffixes[words[3]]
			families[family] = true
			if words[3] == "counter" && !openMetrics {
				allowed = []string{""}
			}
			for _, suffix := range allowed {
				if samples[family+suffix] {
					problems = append(problems, "a sample has this name: "+line)
				}
			}
			for _, suffix := range allowed {
				samples[family+suffix] = true
			}
		case strings.HasPrefix(line, "# "):
		default:
			name, _, _ := strings.Cut(words[0], "{")
			suffix, below := strings.CutPrefix(name, family)
			if !below || !slices.Contains(allowed, suffix) {
				problems = append(problems, "not of the family "+family+": "+line)
			}
			if samples[line[:strings.LastIndexByte(line, ' ')]] && strings.Contains(line, "{") {
				problems = append(problems, "twice: "+line)
			}
			samples[line[:strings.LastIndexByte(line, ' ')]] = true
		}
	}
	if openMetrics != (last == "# EOF") {
		problems = append(problems, "the end is "+last)
	}
	return problems
}
