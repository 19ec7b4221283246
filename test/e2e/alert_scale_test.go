package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// haste is how much sooner everything is in the end-to-end test of the alerts than in the files that are shipped: two
// minutes, the longest scrape interval that they are for, are four seconds.
const haste = 30

// What is overridden in the shipped files. All else is as it is shipped.
var (
	durationFields = regexp.MustCompile(`^(for|keep_firing_for|interval|evaluation_interval|group_wait|group_interval|repeat_interval)$`)
	windows        = regexp.MustCompile(`\[[0-9a-z]+(:[0-9a-z]+)?\]|offset [0-9a-z]+`)
	duration       = regexp.MustCompile(`\d+[smhd]`)
)

// hasten divides every duration in a document by haste: those of the fields that have one, and those in expressions.
func hasten(t *testing.T, node *yaml.Node) {
	t.Helper()
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 1 {
			switch field := node.Content[i-1].Value; {
			case durationFields.MatchString(field):
				child.Value = hastened(t, child.Value)
			case field == "expr":
				child.Value = windows.ReplaceAllStringFunc(child.Value, func(window string) string { return hastened(t, window) })
			}
		}
		hasten(t, child)
	}
}

// hastened is a text with each duration in it divided by haste.
func hastened(t *testing.T, text string) string {
	t.Helper()
	return duration.ReplaceAllStringFunc(text, func(d string) string {
		return strconv.FormatInt((parseDuration(t, d)/haste).Milliseconds(), 10) + "ms"
	})
}

// parseDuration reads a duration of one unit, which may be days.
func parseDuration(t *testing.T, text string) time.Duration {
	t.Helper()
	parsed, err := time.ParseDuration(strings.Replace(text, "d", "h", 1))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(text, "d") {
		parsed *= 24
	}
	return parsed
}

// override writes a shipped file into dir, hastened and changed, and returns where.
func override(t *testing.T, path, dir string, change func(document map[string]any)) string {
	t.Helper()
	var node yaml.Node
	decode(t, path, &node)
	hasten(t, &node)
	var document map[string]any
	if err := node.Decode(&document); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	change(document)
	text, err := yaml.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(copied, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}
