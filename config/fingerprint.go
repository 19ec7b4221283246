package config

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"hmp_exporter/internal/secret"
)

// fingerprint is the hash of all that a raw target or session says of how to probe, and
// of what is beside it. Names and the sessions of a target do not count.
func fingerprint(raw any, beside string) [32]byte {
	f := fingerprinter{sha256.New()}
	f.text(beside)
	f.value("", reflect.ValueOf(raw))
	return [32]byte(f.Sum(nil))
}

type fingerprinter struct{ hash.Hash }

// text adds a text. Its length stands before it, so that no two lists of texts are the
// same to the hash.
func (f fingerprinter) text(text string) { fmt.Fprintf(f, "%d:%s", len(text), text) }

// value adds the value of a field.
func (f fingerprinter) value(field string, v reflect.Value) {
	switch x := v.Interface().(type) {
	case secret.Value:
		f.text(x.Reveal())
		return
	case promconfig.URL:
		if x.URL != nil {
			f.text(x.URL.String())
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() { // as if all in it had its default
			v = reflect.New(v.Type().Elem())
		}
		f.value(field, v.Elem())
	case reflect.Struct:
		for inner, v := range v.Fields() {
			if inner.IsExported() && inner.Name != "Name" && inner.Name != "Sessions" {
				f.text(inner.Name)
				f.value(inner.Name, v)
			}
		}
	case reflect.Map: // of headers
		f.text(fmt.Sprint(v.Len()))
		names := slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int {
			return strings.Compare(a.String(), b.String())
		})
		for _, name := range names {
			f.text(name.String())
			f.value(field, v.MapIndex(name))
		}
	case reflect.Slice:
		f.text(fmt.Sprint(v.Len()))
		for i := range v.Len() {
			f.value(field, v.Index(i))
		}
	case reflect.String:
		text := v.String()
		if isFile := strings.HasSuffix(field, "File") || field == "Files"; isFile && text != "" {
			text = absolute(text)
		}
		f.text(text)
	case reflect.Int64:
		f.text(fmt.Sprint(v.Int()))
	default: // a boolean, or a TLS version
		f.text(fmt.Sprint(v))
	}
}

// absolute is the file that is opened by this path.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
