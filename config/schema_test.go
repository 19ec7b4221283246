package config

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/exportertest"
)

// schemaOf returns the schema of a type, and adds those of structs to the definitions.
func schemaOf(t *testing.T, kind reflect.Type, definitions object) object {
	if single, ok := shownTypes[kind]; ok {
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
