package config

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/units"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/jsonschema-go/jsonschema"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/exportertest"
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

	// singleValues are the types of single values: what the page calls them, and their schema.
	singleValues = map[reflect.Type]struct {
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
	if single, ok := singleValues[kind]; ok {
		return single.name
	}
	if kind.Kind() == reflect.Slice {
		item := kind.Elem()
		return "list of " + cmp.Or(singleValues[item].name, strings.ToLower(strings.TrimPrefix(item.Name(), "raw"))) + "s"
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
				if field.Type.Kind() == reflect.Bool {
					want = "`false`" // it is not shown
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

// schemaOf returns the schema of a type, and adds those of structs to the definitions.
func schemaOf(t *testing.T, kind reflect.Type, definitions object) object {
	if single, ok := singleValues[kind]; ok {
		return single.schema
	}
	switch kind.Kind() {
	case reflect.Slice:
		return object{"type": []string{"array", "null"}, "items": schemaOf(t, kind.Elem(), definitions)}
	case reflect.Map:
		s := object{"type": []string{"object", "null"}, "additionalProperties": schemaOf(t, kind.Elem(), definitions)}
		if kind == reflect.TypeFor[labels]() {
			s["propertyNames"] = object{"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$", "not": object{"pattern": "^(__.*|" + strings.Join(reservedLabels, "|") + ")$"}}
		}
		return s
	}
	for section, raw := range sections {
		if raw == kind && definitions[section] == nil {
			define(t, section, definitions)
		}
		if raw == kind {
			return object{"$ref": "#/definitions/" + section}
		}
	}
	t.Fatalf("no schema for %s", kind)
	return nil
}

var markdown = regexp.MustCompile("`|\\[([^]]*)\\]\\([^)]*\\)")

func define(t *testing.T, section string, definitions object) {
	properties, required := object{}, []string{}
	definition := object{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
	definitions[section] = definition
	rows, kind := rowsOf(t, section), sections[section]
	for _, name := range fieldsOf(kind).names {
		property := maps.Clone(schemaOf(t, kind.FieldByIndex(fieldsOf(kind).index[name]).Type, definitions))
		if property["$ref"] != nil { // editors ignore what is beside it
			property = object{"allOf": []object{property}}
		}
		property["description"] = markdown.ReplaceAllString(rows[name].meaning, "$1")
		if rows[name].fallback == "required" {
			required = append(required, name)
		}
		properties[name] = property
	}
	if len(required) > 0 {
		definition["required"] = required
	}
}

// The schema for editors has the fields of the program, and their descriptions from the page.
func TestSchema(t *testing.T) {
	definitions := object{}
	define(t, "file", definitions)
	schema := definitions["file"].(object)
	delete(definitions, "file")
	schema["$schema"] = "http://json-schema.org/draft-07/schema#"
	schema["title"] = "The configuration of hmp_exporter, or a file of target_files"
	schema["type"] = []string{"object", "array"}
	schema["items"] = schemaOf(t, reflect.TypeFor[rawTarget](), definitions) // of a target file
	schema["definitions"] = definitions
	var want bytes.Buffer
	encoder := json.NewEncoder(&want)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		t.Fatal(err)
	}
	if *update {
		exportertest.WriteFile(t, "schema.json", want.String())
	}
	if diff := gocmp.Diff(want.String(), read(t, "schema.json")); diff != "" {
		t.Errorf("run the test with -update (-program +schema.json):\n%s", diff)
	}
}

// The schema accepts each configuration that the program accepts. It rejects the mistakes that an
// editor can find.
func TestSchemaValidates(t *testing.T) {
	var s jsonschema.Schema
	if err := json.Unmarshal([]byte(read(t, "schema.json")), &s); err != nil {
		t.Fatal(err)
	}
	schema, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	validate := func(text string) error {
		t.Helper()
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	const target = "name: t, url: https://a, sessions: [{name: s, token: CANARY}]"
	good := map[string]string{"reference.yml": read(t, "reference.yml"), "a target file": "[{" + target + "}]"}
	for _, f := range archives(t, "testdata/good.txtar")["testdata/good.txtar"].Files {
		if filepath.Ext(f.Name) == ".yml" {
			good[f.Name] = string(f.Data)
		}
	}
	for name, text := range good {
		if err := validate(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := []string{"colour: red", "targets: {" + target + "}", "targets: [{name: t, url: https://a}]", "[{name: t}]"}
	for _, field := range []string{
		"colour: red", "timeout: soon", "max_body_size: 64", "max_concurrent: -1", "keep_alive: 'true'", "tls_config: {min_version: TLS9}",
		"labels: {session: a}", "labels: {__a: a}", "labels: {a-b: a}",
	} {
		bad = append(bad, "targets: [{"+target+", "+field+"}]")
	}
	for _, text := range bad {
		if validate(text) == nil {
			t.Errorf("the schema accepts %s", text)
		}
	}
}
