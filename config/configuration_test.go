package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	promconfig "github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"
)

const configurationPage = "../docs/configuration.md"

// sectionsOfPage are the tables of docs/configuration.md and the structs that they are about.
var sectionsOfPage = map[string]any{
	"file":         rawFile{},
	"global":       rawGlobal{},
	"target":       rawTarget{},
	"session":      rawSession{},
	"tls_config":   promconfig.TLSConfig{},
	"http_headers": promconfig.Header{},
}

var fieldRow = regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\| ([^|]*) \\| ([^|]*?) ?\\| [^|]+ \\|$")

// TestConfigurationPage compares each row of docs/configuration.md with the field that it is about: there is one row
// for each, and its type and default are those of the program.
func TestConfigurationPage(t *testing.T) {
	page := readText(t, configurationPage)
	defaults := defaultsOf(t)
	for section, raw := range sectionsOfPage {
		t.Run(section, func(t *testing.T) {
			kind := reflect.TypeOf(raw)
			fs := fieldsOf(kind)
			want := fs.names
			rows := fieldRow.FindAllStringSubmatch(part(t, page, "fields of "+section), -1)
			var got []string
			for _, row := range rows {
				got = append(got, row[1])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("fields (-program +page):\n%s", diff)
			}
			for _, row := range rows {
				name, typ, fallback := row[1], row[2], row[3]
				field := kind.FieldByIndex(fs.index[name])
				if w := typeName(t, field.Type); typ != w {
					t.Errorf("%s: the page says it is a %q, and it is a %q", name, typ, w)
				}
				if w := defaults.of(section, name, field.Type); fallback != w {
					t.Errorf("%s: the page says its default is %q, and it is %q", name, fallback, w)
				}
			}
		})
	}
}

// typeName is how the page calls a type.
func typeName(t *testing.T, kind reflect.Type) string {
	t.Helper()
	names := map[string]string{
		"model.Duration": "duration", "int": "number", "config.labels": "mapping", "bool": "boolean", "units.Base2Bytes": "size", "string": "string", "config.URL": "URL",
		"secret.Value": "secret", "config.Secret": "secret", "config.TLSVersion": "string", "[]string": "list of strings", "[]config.Secret": "list of secrets",
		"[]config.rawTarget": "list of targets", "[]config.rawSession": "list of sessions", "config.rawGlobal": "mapping",
		"config.TLSConfig": "mapping", "map[string]config.Header": "mapping", "config.ProxyHeader": "mapping",
	}
	name, ok := names[kind.String()]
	if !ok {
		t.Errorf("the page has no word for the type %s", kind)
	}
	return name
}

// defaultValues are those of fields that have one beside nothing, by section.
type defaultValues map[string]map[string]any

// defaultsOf reads what /config shows of a configuration that leaves out all it can.
func defaultsOf(t *testing.T) defaultValues {
	t.Helper()
	text := "targets: [{name: a, url: https://hmp.example, tls_config: {}, sessions: [{name: b, token: c}]}]"
	config, err := loadText(t, text)
	if err != nil {
		t.Fatal(err)
	}
	effective, err := config.YAML()
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Global  map[string]any   `yaml:"global"`
		Targets []map[string]any `yaml:"targets"`
	}
	if err := yaml.Unmarshal(effective, &file); err != nil {
		t.Fatal(err)
	}
	tls, _ := file.Targets[0]["tls_config"].(map[string]any)
	return defaultValues{"global": file.Global, "target": file.Targets[0], "tls_config": tls}
}

// requiredFields are the fields that the configuration above could not leave out.
var requiredFields = []string{"target.name", "target.url", "target.sessions", "session.name"}

// of is how the page writes a default.
func (d defaultValues) of(section, name string, kind reflect.Type) string {
	if slices.Contains(requiredFields, section+"."+name) {
		return "required"
	}
	switch value := d[section][name].(type) {
	case string, bool:
		return fmt.Sprintf("`%v`", value)
	case nil:
		if kind.Kind() == reflect.Bool {
			return "`false`" // it is left out while it is
		}
	}
	return ""
}

// TestConfigurationPageRequired is that what the page says to be required is.
func TestConfigurationPageRequired(t *testing.T) {
	for _, field := range requiredFields {
		text := map[string]string{
			"target.name":     "targets: [{url: https://hmp.example, sessions: [{name: b, token: c}]}]",
			"target.url":      "targets: [{name: a, sessions: [{name: b, token: c}]}]",
			"target.sessions": "targets: [{name: a, url: https://hmp.example}]",
			"session.name":    "targets: [{name: a, url: https://hmp.example, sessions: [{token: c}]}]",
		}[field]
		if _, err := loadText(t, text); err == nil {
			t.Errorf("%s is not required", field)
		}
	}
}

// TestConfigurationPageVariables is that the page has the variables of the environment.
func TestConfigurationPageVariables(t *testing.T) {
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|").FindAllStringSubmatch(part(t, readText(t, configurationPage), "variables"), -1) {
		got = append(got, row[1])
	}
	slices.Sort(got)
	if diff := cmp.Diff(slices.Compact(slices.Sorted(maps.Values(variables))), got); diff != "" {
		t.Errorf("variables (-program +page):\n%s", diff)
	}
}

// TestConfigurationPageFile is that the first configuration of the page is one.
func TestConfigurationPageFile(t *testing.T) {
	_, rest, _ := strings.Cut(readText(t, configurationPage), "```yaml\n")
	text, _, _ := strings.Cut(rest, "```")
	config, err := loadText(t, text)
	if err != nil || len(config.Targets) != 1 {
		t.Fatalf("%v, %v", config, err)
	}
}

// part is what stands between two comments of a page, as in package tables.
func part(t *testing.T, page, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, "<!-- "+name+" -->\n")
	found, _, ok2 := strings.Cut(rest, "<!-- end of "+name+" -->")
	if !ok || !ok2 {
		t.Fatalf("the page has no part %q", name)
	}
	return found
}

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
