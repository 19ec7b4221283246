package config

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/units"
	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/secret"
)

// object is a part of a JSON schema.
type object = map[string]any

// text is the schema of what is taken as it is written: a token 020001 is no number.
var text = object{"type": []string{"string", "number", "boolean"}}

// schemaOfType has those of single values.
var schemaOfType = map[reflect.Type]object{
	reflect.TypeFor[string]():                text,
	reflect.TypeFor[secret.Value]():          text,
	reflect.TypeFor[promconfig.Secret]():     text,
	reflect.TypeFor[promconfig.URL]():        {"type": "string"},
	reflect.TypeFor[bool]():                  {"type": "boolean"},
	reflect.TypeFor[int]():                   {"type": "integer", "minimum": 0},
	reflect.TypeFor[model.Duration]():        {"type": "string", "pattern": "^([0-9]+(ms|[ywdhms]))+$"},
	reflect.TypeFor[units.Base2Bytes]():      {"type": "string", "pattern": "^([0-9.]+([KMGTPE]i?)?B)+$"},
	reflect.TypeFor[promconfig.TLSVersion](): {"enum": []string{"TLS10", "TLS11", "TLS12", "TLS13"}},
}

// A schemaWriter makes schemas of types, with what the page says of their fields.
type schemaWriter struct {
	t           *testing.T
	page        string
	definitions object // of structs, by their sections of the page
}

// of returns the schema of a type.
func (w *schemaWriter) of(kind reflect.Type) object {
	if single, ok := schemaOfType[kind]; ok {
		return single
	}
	switch kind.Kind() {
	case reflect.Slice:
		return object{"type": []string{"array", "null"}, "items": w.of(kind.Elem())}
	case reflect.Map:
		s := object{"type": []string{"object", "null"}, "additionalProperties": w.of(kind.Elem())}
		if kind == reflect.TypeFor[labels]() {
			s["propertyNames"] = object{"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$", "not": object{"pattern": "^(__.*|" + strings.Join(reservedLabels, "|") + ")$"}}
		}
		return s
	default:
		for section, raw := range sectionsOfPage {
			if reflect.TypeOf(raw) == kind {
				w.define(section, kind)
				return object{"$ref": "#/definitions/" + section}
			}
		}
		w.t.Fatalf("no schema for %s", kind)
		return nil
	}
}

var markdown = regexp.MustCompile("`|\\[([^]]*)\\]\\([^)]*\\)")

func (w *schemaWriter) define(section string, kind reflect.Type) {
	if w.definitions[section] != nil {
		return
	}
	properties, required := object{}, []string{}
	definition := object{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
	w.definitions[section] = definition
	rows := make(map[string][]string)
	for _, row := range regexp.MustCompile(`(?m)^\| `+"`([a-z0-9_]+)`"+` \| [^|]* \| ([^|]*?) ?\| ([^|]+) \|`).FindAllStringSubmatch(part(w.t, w.page, "fields of "+section), -1) {
		rows[row[1]] = row
	}
	fs := fieldsOf(kind)
	for _, name := range fs.names {
		row := rows[name]
		if row == nil {
			w.t.Fatalf("the page has no field %s of %s", name, section)
		}
		property := maps.Clone(w.of(kind.FieldByIndex(fs.index[name]).Type))
		if property["$ref"] != nil { // editors ignore what stands beside it
			property = object{"allOf": []object{property}}
		}
		property["description"] = markdown.ReplaceAllString(row[3], "$1")
		if row[2] == "required" {
			required = append(required, name)
		}
		properties[name] = property
	}
	if len(required) > 0 {
		definition["required"] = required
	}
}

// TestSchema compares schema.json, which editors read, with the fields that there are and
// what docs/configuration.md says of them.
func TestSchema(t *testing.T) {
	w := &schemaWriter{t: t, page: readText(t, configurationPage), definitions: object{}}
	w.define("file", reflect.TypeFor[rawFile]())
	schema := w.definitions["file"].(object)
	delete(w.definitions, "file")
	schema["$schema"] = "http://json-schema.org/draft-07/schema#"
	schema["title"] = "The configuration of hmp_exporter, or a file of target_files"
	schema["type"] = []string{"object", "array"}
	schema["items"] = w.of(reflect.TypeFor[rawTarget]()) // of a target file
	schema["definitions"] = w.definitions
	var want bytes.Buffer
	encoder := json.NewEncoder(&want)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("schema.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want.String(), readText(t, "schema.json")); diff != "" {
		t.Errorf("run the test with -update (-program +schema.json):\n%s", diff)
	}
}

// TestSchemaValidates is that the schema takes what the program takes, and no mistake that
// an editor can find.
func TestSchemaValidates(t *testing.T) {
	var s jsonschema.Schema
	if err := json.Unmarshal([]byte(readText(t, "schema.json")), &s); err != nil {
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
	good := map[string]string{"reference.yml": readText(t, "reference.yml")}
	for _, f := range suites(t, "testdata/good.txtar")[0].archive.Files {
		if filepath.Ext(f.Name) == ".yml" {
			good[f.Name] = string(f.Data)
		}
	}
	for name, text := range good {
		if err := validate(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	const target = "name: t, url: https://a, sessions: [{name: s, token: CANARY}]"
	for _, text := range []string{
		"colour: red", "targets: {" + target + "}", "targets: [{name: t, url: https://a}]", "targets: [{" + target + ", colour: red}]",
		"targets: [{" + target + ", timeout: soon}]", "targets: [{" + target + ", max_body_size: 64}]", "targets: [{" + target + ", max_concurrent: -1}]",
		"targets: [{" + target + ", labels: {session: a}}]", "targets: [{" + target + ", labels: {__a: a}}]", "targets: [{" + target + ", labels: {a-b: a}}]",
		"targets: [{" + target + ", keep_alive: 'true'}]", "targets: [{" + target + ", tls_config: {min_version: TLS9}}]", "[{name: t}]",
	} {
		if validate(text) == nil {
			t.Errorf("the schema takes %s", text)
		}
	}
	if err := validate("[{" + target + "}]"); err != nil || slices.Contains(s.Required, "targets") {
		t.Errorf("a target file is refused: %v", err)
	}
}
