package kubernetes

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

// TestReadmeExamples renders the values in the README: the first ones, and the others over them.
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
