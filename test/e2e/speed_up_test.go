package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// speedup divides the times in shipped files. The rules allow a scrape interval of two
// minutes, which becomes four seconds.
const speedup = 30

var (
	durationFields = regexp.MustCompile(`^(for|keep_firing_for|interval|evaluation_interval|group_wait|group_interval|repeat_interval)$`)
	windows        = regexp.MustCompile(`\[[0-9a-z]+(:[0-9a-z]+)?\]|offset [0-9a-z]+`)
	duration       = regexp.MustCompile(`(\d+)([smhd])`)
	units          = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
)

// speedUp writes a shipped YAML file into a directory and returns the path of the copy. All
// durations are divided by speedup; then change is applied.
func speedUp(t *testing.T, path, dir string, change func(document map[string]any)) string {
	t.Helper()
	var node yaml.Node
	readYAML(t, path, &node)
	speedUpNode(&node)
	var document map[string]any
	if err := node.Decode(&document); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	change(document)
	return write(t, dir, filepath.Base(path), toYAML(t, document))
}

func speedUpNode(node *yaml.Node) {
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 1 {
			switch field := node.Content[i-1].Value; {
			case durationFields.MatchString(field):
				child.Value = speedUpText(child.Value)
			case field == "expr":
				child.Value = windows.ReplaceAllStringFunc(child.Value, speedUpText)
			}
		}
		speedUpNode(child)
	}
}

func speedUpText(text string) string {
	return duration.ReplaceAllStringFunc(text, func(d string) string {
		parts := duration.FindStringSubmatch(d)
		n, _ := strconv.Atoi(parts[1])
		return fmt.Sprintf("%dms", (time.Duration(n) * units[parts[2]] / speedup).Milliseconds())
	})
}

// spedUpRules returns a directory with the shipped rules, in which all times are shorter.
func spedUpRules(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range ruleFiles(t) {
		speedUp(t, file, dir, func(map[string]any) {})
	}
	return dir
}
