package kubernetes

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"helm.sh/helm/v4/pkg/chart/v2/loader"

	"hmp_exporter/internal/tables"
)

// TestReadme checks that the chart's README has every value with its default and what its comment in values.yaml says.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(chartDir, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	table := &strings.Builder{}
	table.WriteString("| value | default | meaning |\n| --- | --- | --- |\n")
	addRows(t, table, "", document.Content[0])
	tables.Check(t, filepath.Join(chartDir, "README.md"), *update, map[string]string{"values": table.String()})
}

// addRows adds a row for each value that has a comment of its own, and looks for them within those that have none.
func addRows(t *testing.T, table *strings.Builder, prefix string, values *yaml.Node) {
	t.Helper()
	for i := 0; i < len(values.Content); i += 2 {
		name, value := values.Content[i], values.Content[i+1]
		path := prefix + name.Value
		_, meaning, ok := strings.Cut(name.HeadComment, "# -- ")
		switch {
		case ok:
			meaning, _, _ = strings.Cut(meaning, "\n")
			fmt.Fprintf(table, "| `%s` | `%s` | %s |\n", path, inline(t, value), strings.ReplaceAll(meaning, "|", "\\|"))
		case value.Kind == yaml.MappingNode:
			addRows(t, table, path+".", value)
		default:
			t.Errorf("values.yaml does not say what %s means", path)
		}
	}
}

// inline writes a default as JSON, which is YAML too.
func inline(t *testing.T, value *yaml.Node) string {
	t.Helper()
	var decoded any
	if err := value.Decode(&decoded); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(decoded)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadmeExamples renders the values that the README shows: the first ones, which are whole, and the others over them.
func TestReadmeExamples(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(chartDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(readme, -1)
	if len(blocks) < 4 {
		t.Fatalf("the README has only %d examples", len(blocks))
	}
	for _, block := range blocks {
		values := loader.MergeMaps(exampleValues(t, string(blocks[0][1])), exampleValues(t, string(block[1])))
		if values["environment"] != nil {
			delete(values, "config")
		}
		files, err := helmTemplate(t, values)
		if err != nil {
			t.Fatalf("%v\n%s", err, block[1])
		}
		decode(t, files)
	}
}
