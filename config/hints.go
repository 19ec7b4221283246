package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// fields are the fields of a raw struct by their name in YAML.
type fields struct {
	names []string         // in the order of the struct
	index map[string][]int // as for reflect.Value.FieldByIndex
	rest  []int            // a map that takes every other name; nil if there is none
}

// knownFields has the fields of types: a file has many values of few types.
var knownFields sync.Map

// fieldsOf reads the yaml tags of a struct, those of inlined ones included.
func fieldsOf(t reflect.Type) fields {
	if known, ok := knownFields.Load(t); ok {
		return known.(fields)
	}
	fs := fields{index: make(map[string][]int)}
	for _, f := range reflect.VisibleFields(t) {
		name, options, tagged := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "" && tagged && options == "inline" && f.Type.Kind() == reflect.Map:
			fs.rest = f.Index
		case name != "" && f.IsExported():
			fs.names = append(fs.names, name)
			fs.index[name] = f.Index
		}
	}
	knownFields.Store(t, fs)
	return fs
}

// namesHere are field names that people bring from Prometheus and that mean nothing here.
var namesHere = map[string]string{
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
	"labels":            "add labels in the scrape configuration of Prometheus",
}

// unknownHint helps with a name that is not among the fields of t.
func unknownHint(t reflect.Type, name string) string {
	if hint, ok := namesHere[name]; ok {
		return hint
	}
	known := fieldsOf(t)
	for _, field := range known.names {
		f := t.FieldByIndex(known.index[field])
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && slices.Contains(fieldsOf(inner).names, name) {
			return "it belongs under " + field
		}
	}
	if near := nearest(name, known.names); near != "" {
		return "did you mean " + near + "?"
	}
	return "known fields: " + strings.Join(known.names, ", ")
}

// plainName matches a name that is surely one. Anything else could be a secret:
// "{token:abc}" without a space is a field by the name of "token:abc".
var plainName = regexp.MustCompile(`^[a-z_]{1,32}$`)

// nearest returns the name that was probably meant, "" if none is near: at most two
// letters, and less than half of them, differ. Case, dashes and underscores do not count.
func nearest(name string, names []string) string {
	if len(name) > maxName {
		return ""
	}
	plain := func(name string) string {
		return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
	}
	best, bestDistance := "", 3
	for _, candidate := range names {
		d := distance(plain(name), plain(candidate))
		if d < bestDistance && d*2 < len(candidate) {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
