package config

import (
	"errors"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// FuzzLoad loads any file. Load returns Errors, or a configuration that prints as YAML. Neither
// has a secret.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(read(f, "reference.yml")))
	for _, pattern := range []string{"testdata/*.txtar", "testdata/bad/*.txtar"} {
		for _, archive := range archives(f, pattern) {
			for _, file := range archive.Files {
				f.Add(file.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		t.Chdir(t.TempDir())
		exportertest.WriteFile(t, "hmp.yml", string(data))
		config, err := loadFile("hmp.yml")
		if _, ok := errors.AsType[Errors](err); (err == nil) == (config == nil) || err != nil && !ok {
			t.Fatalf("Load = %v, %v", config, err)
		}
		problems, _ := errors.AsType[Errors](err)
		for _, e := range problems {
			if e.File == "hmp.yml" && e.Line > strings.Count(string(data), "\n")+1 {
				t.Errorf("the file has no line %d: %v", e.Line, e)
			}
		}
		shown := errorText(err)
		if err == nil {
			shown = show(t, config)
			var tree any
			if err := yaml.Unmarshal([]byte(shown[strings.Index(shown, "\n\n")+1:]), &tree); err != nil {
				t.Errorf("YAML is none: %v\n%s", err, shown)
			}
		}
		var document yaml.Node
		if yaml.Unmarshal(data, &document) != nil || onlySecret(&document, false) {
			canary.Check(t, "the text", shown)
		}
	})
}

// secretFields hold secrets, or lists or mappings of them.
var secretFields = map[string]bool{
	"token": true, "api_key": true, "api_secret": true,
	"key": true, "secrets": true, "proxy_url": true, "proxy_connect_header": true,
}

// onlySecret reports whether the canary is only in the values of secret fields. The program may
// show other values.
func onlySecret(n *yaml.Node, secret bool) bool {
	if n.Kind == yaml.ScalarNode && !secret && strings.Contains(n.Value, canary.Word) || n.Kind == yaml.AliasNode {
		return false
	}
	for i, child := range n.Content {
		inside := secret
		if n.Kind == yaml.MappingNode {
			// Names are at even places, each before its value. The values of a header
			// are shown, whatever the header is called.
			name := n.Content[i-i%2].Value
			inside = i%2 == 1 && name != "values" && (secret || secretFields[name])
		}
		if !onlySecret(child, inside) {
			return false
		}
	}
	return true
}
