package config

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/units"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/secret"
)

const page = "../docs/configuration.md"

// object is a part of a JSON schema.
type object = map[string]any

var (
	// sections are the tables of the page and the structs that they are about.
	sections = map[string]reflect.Type{
		"file":         reflect.TypeFor[rawFile](),
		"global":       reflect.TypeFor[rawGlobal](),
		"target":       reflect.TypeFor[rawTarget](),
		"session":      reflect.TypeFor[rawSession](),
		"tls_config":   reflect.TypeFor[promconfig.TLSConfig](),
		"http_headers": reflect.TypeFor[promconfig.Header](),
	}

	asWritten = object{"type": []string{"string", "number", "boolean"}} // a token 020001 is no number

	// shownTypes are the types of single values: what the page calls them, and their schema.
	shownTypes = map[reflect.Type]struct {
		name   string
		schema object
	}{
		reflect.TypeFor[string]():                {"string", asWritten},
		reflect.TypeFor[secret.Value]():          {"secret", asWritten},
		reflect.TypeFor[promconfig.Secret]():     {"secret", asWritten},
		reflect.TypeFor[promconfig.URL]():        {"URL", object{"type": "string"}},
		reflect.TypeFor[bool]():                  {"boolean", object{"type": "boolean"}},
		reflect.TypeFor[int]():                   {"number", object{"type": "integer", "minimum": 0}},
		reflect.TypeFor[model.Duration]():        {"duration", object{"type": "string", "pattern": "^([0-9]+(ms|[ywdhms]))+$"}},
		reflect.TypeFor[units.Base2Bytes]():      {"size", object{"type": "string", "pattern": "^([0-9.]+([KMGTPE]i?)?B)+$"}},
		reflect.TypeFor[promconfig.TLSVersion](): {"string", object{"enum": []string{"TLS10", "TLS11", "TLS12", "TLS13"}}},
	}
)

// typeName returns what the page calls a type.
func typeName(kind reflect.Type) string {
	if single, ok := shownTypes[kind]; ok {
		return single.name
	}
	if kind.Kind() == reflect.Slice {
		item := kind.Elem()
		return "list of " + cmp.Or(shownTypes[item].name, strings.ToLower(strings.TrimPrefix(item.Name(), "raw"))) + "s"
	}
	return "mapping"
}

// A row of the page is about one field.
type row struct{ kind, fallback, meaning string }

var rowPattern = regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\| ([^|]*) \\| ([^|]*?) ?\\| ([^|]+) \\|")

// rowsOf returns the rows of a section, and checks that each field has one.
func rowsOf(t *testing.T, section string) map[string]row {
	t.Helper()
	var names []string
	rows := make(map[string]row)
	for _, m := range rowPattern.FindAllStringSubmatch(part(t, "fields of "+section), -1) {
		names = append(names, m[1])
		rows[m[1]] = row{m[2], m[3], m[4]}
	}
	if diff := gocmp.Diff(fieldsOf(sections[section]).names, names); diff != "" {
		t.Fatalf("fields of %s (-program +page):\n%s", section, diff)
	}
	return rows
}

// part returns the text between two comments of the page.
func part(t *testing.T, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(read(t, page), "<!-- "+name+" -->\n")
	found, _, ok2 := strings.Cut(rest, "<!-- end of "+name+" -->")
	if !ok || !ok2 {
		t.Fatalf("the page has no part %q", name)
	}
	return found
}

// TestConfigurationPage compares the type and default of each row with those of its field.
func TestConfigurationPage(t *testing.T) {
	config := loadText(t, "targets: [{name: a, url: https://hmp.example, tls_config: {}, sessions: [{name: b, token: c}]}]")
	var shown struct {
		Global  map[string]any   `yaml:"global"`
		Targets []map[string]any `yaml:"targets"`
	}
	if err := yaml.Unmarshal([]byte(effective(t, config)), &shown); err != nil {
		t.Fatal(err)
	}
	defaults := map[string]map[string]any{"global": shown.Global, "target": shown.Targets[0]}
	required := []string{"target.name", "target.url", "target.sessions", "session.name"} // TestBad proves that they are
	for section, kind := range sections {
		for name, row := range rowsOf(t, section) {
			field := kind.FieldByIndex(fieldsOf(kind).index[name])
			if want := typeName(field.Type); row.kind != want {
				t.Errorf("%s: the page says it is a %q, and it is a %q", name, row.kind, want)
			}
			want := ""
			switch value := defaults[section][name].(type) {
			case string, bool:
				want = fmt.Sprintf("`%v`", value)
			case nil:
				// The zero value is not shown.
				switch field.Type.Kind() {
				case reflect.Bool:
					want = "`false`"
				case reflect.Int:
					want = "`0`"
				}
			}
			if slices.Contains(required, section+"."+name) {
				want = "required"
			}
			if row.fallback != want {
				t.Errorf("%s: the page says its default is %q, and it is %q", name, row.fallback, want)
			}
		}
	}
	var names []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|").FindAllStringSubmatch(part(t, "variables"), -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	if diff := gocmp.Diff(slices.Compact(slices.Sorted(maps.Values(variables))), names); diff != "" {
		t.Errorf("variables (-program +page):\n%s", diff)
	}
	_, rest, _ := strings.Cut(read(t, page), "```yaml\n")
	text, _, _ := strings.Cut(rest, "```")
	loadText(t, text)
}

// The first target of reference.yml has every default as a value, and the second target has none.
// The file has every field, some in comments.
func TestReference(t *testing.T) {
	config, err := loadFile("reference.yml")
	if err != nil {
		t.Fatal(err)
	}
	spelt, short := *config.Targets[0], *config.Targets[1]
	for _, target := range []*Target{&spelt, &short} {
		target.Name, target.URL, target.Sessions = "", nil, nil
	}
	if diff := gocmp.Diff(spelt, short, cmpopts.IgnoreUnexported(Target{}, tls.Config{})); diff != "" {
		t.Errorf("the defaults in reference.yml are not the defaults (-spelt +short):\n%s", diff)
	}
	for section, kind := range sections {
		for _, name := range fieldsOf(kind).names {
			if !regexp.MustCompile(`(?m)^ *(# *)?(- )?` + name + `:`).MatchString(read(t, "reference.yml")) {
				t.Errorf("reference.yml does not mention %s of %s", name, section)
			}
		}
	}
}
