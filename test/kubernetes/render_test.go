package kubernetes

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/yaml"
)

const (
	chartDir  = "../../deploy/kubernetes/hmp-exporter"
	release   = "watch"
	namespace = "monitoring"
	fullname  = release + "-hmp-exporter"
)

func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelWarn) // Helm logs each symbolic link
	os.Exit(m.Run())
}

// exampleValues returns the values of a file in ci/, or values in YAML.
func exampleValues(t *testing.T, example string) map[string]any {
	t.Helper()
	text := []byte(example)
	if strings.HasSuffix(example, ".yaml") {
		var err error
		if text, err = os.ReadFile(filepath.Join(chartDir, "ci", example)); err != nil {
			t.Fatal(err)
		}
	}
	var values map[string]any
	if err := yaml.UnmarshalStrict(text, &values); err != nil {
		t.Fatalf("%s: %v", example, err)
	}
	return values
}

// examples returns the names of the files in ci/.
func examples(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(chartDir, "ci", "*.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatalf("found only the examples %q: %v", files, err)
	}
	for i, file := range files {
		files[i] = filepath.Base(file)
	}
	return files
}

// helmTemplate does the same as `helm template`, for a cluster with more APIs.
func helmTemplate(t *testing.T, values map[string]any, apis ...string) (map[string]string, error) {
	t.Helper()
	return renderChart(load(t), values, apis...)
}

func load(t *testing.T) *chart.Chart {
	t.Helper()
	loaded, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func renderChart(c *chart.Chart, values map[string]any, apis ...string) (map[string]string, error) {
	options := common.ReleaseOptions{Name: release, Namespace: namespace, IsInstall: true}
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.APIVersions = slices.Concat(capabilities.APIVersions, apis)
	all, err := util.ToRenderValues(c, values, options, capabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(c, all)
}

// render renders an example, which must succeed, and returns its objects.
func render(t *testing.T, example string) objects {
	t.Helper()
	files, err := helmTemplate(t, exampleValues(t, example))
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, files)
}

// TestLint does the same as `helm lint --strict`, with the values of each example.
func TestLint(t *testing.T) {
	for _, example := range examples(t) {
		t.Run(example, func(t *testing.T) {
			for _, message := range lint.RunAll(chartDir, exampleValues(t, example), namespace).Messages {
				if message.Severity > support.InfoSev {
					t.Error(message)
				}
			}
		})
	}
}

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
