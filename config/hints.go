package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
)

type fields struct {
	names []string         // in the order of the struct
	index map[string][]int // as for reflect.Value.FieldByIndex
}

// knownFields caches the fields of types.
var knownFields sync.Map

// fieldsOf returns the fields of a struct and its inlined structs by their yaml tags.
func fieldsOf(t reflect.Type) fields {
	if known, ok := knownFields.Load(t); ok {
		return known.(fields)
	}
	fs := fields{index: make(map[string][]int)}
	for _, f := range reflect.VisibleFields(t) {
		// Fields that end in _ref are for secret managers, which are not supported.
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && !strings.HasSuffix(name, "_ref") {
			fs.names = append(fs.names, name)
			fs.index[name] = f.Index
		}
	}
	knownFields.Store(t, fs)
	return fs
}

// prometheusFieldHints has hints for fields of Prometheus that this exporter does not have.
var prometheusFieldHints = map[string]string{
	"authorization":     "the token goes into a session: token_file",
	"bearer_token":      "the token goes into a session: token",
	"bearer_token_file": "the token goes into a session: token_file",
	"basic_auth":        "HMP takes no user and password here: give a session a token_file, or an api_key_file and api_secret_file",
	"oauth2":            "give a session a token_file, or an api_key_file and api_secret_file",
	"follow_redirects":  "redirects are never followed: they would take the token along",
	"scheme":            "write it as part of the url",
	"static_configs":    "list the HMPs under targets",
	"scrape_configs":    "this is the exporter's own file; scrape_configs belong to prometheus.yml",
	"scrape_timeout":    "did you mean timeout?",
}

// unknownHint returns a hint for a name that is not a field of t.
func unknownHint(t reflect.Type, name string) string {
	if hint, ok := prometheusFieldHints[name]; ok {
		return hint
	}
	known := fieldsOf(t)
	for _, field := range known.names {
		inner := t.FieldByIndex(known.index[field]).Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && slices.Contains(fieldsOf(inner).names, name) {
			return "it belongs under " + field
		}
	}
	if near := Nearest(name, known.names); near != "" {
		return "did you mean " + near + "?"
	}
	return "known fields: " + strings.Join(known.names, ", ")
}

// safeFieldName matches a name that cannot be a secret. In YAML, "{token:abc}" has a field
// named "token:abc".
var safeFieldName = regexp.MustCompile(`^[a-z_]{1,32}$`)

// Nearest returns the most similar of some names. It returns "" if more than two letters, or
// half of the letters, differ. Case, dashes and underscores do not count.
func Nearest(name string, names []string) string {
	plain := strings.NewReplacer("-", "", "_", "")
	name = plain.Replace(strings.ToLower(name))
	for edits := range 3 {
		for _, candidate := range names {
			if 2*edits < len(candidate) && withinEdits(name, plain.Replace(strings.ToLower(candidate)), edits) {
				return candidate
			}
		}
	}
	return ""
}

// withinEdits reports whether at most edits insertions, deletions and replacements make a
// into b.
func withinEdits(a, b string, edits int) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	switch {
	case a == "" || b == "":
		return len(a)+len(b) <= edits
	case edits == 0:
		return false
	default:
		return withinEdits(a[1:], b, edits-1) || withinEdits(a, b[1:], edits-1) || withinEdits(a[1:], b[1:], edits-1)
	}
}
