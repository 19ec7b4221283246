package config

import (
	"crypto/sha256"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"hmp_exporter/internal/secret"
)

// fingerprint is the hash of all that a raw target or session says of how to probe, and
// of what is beside it. Names and the sessions of a target do not count.
func fingerprint(raw any, beside string) [32]byte {
	var c canonical
	c.text(beside)
	c.value("", reflect.ValueOf(raw))
	return sha256.Sum256(c)
}

// canonical is the encoding of which a fingerprint is the hash. It has secrets in it.
type canonical []byte

// text adds a text. Its length stands before it, so that no two lists of texts are the
// same when they are put together.
func (c *canonical) text(text string) {
	*c = strconv.AppendInt(*c, int64(len(text)), 10)
	*c = append(*c, ':')
	*c = append(*c, text...)
}

// value adds the value of a field.
func (c *canonical) value(field string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() { // as if all in it had its default
			v = reflect.New(v.Type().Elem())
		}
		c.value(field, v.Elem())
	case reflect.Struct:
		c.object(v)
	case reflect.Map: // of headers
		names := v.MapKeys()
		slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		c.text(strconv.Itoa(len(names)))
		for _, name := range names {
			c.text(name.String())
			c.value(field, v.MapIndex(name))
		}
	case reflect.Slice:
		c.text(strconv.Itoa(v.Len()))
		for i := range v.Len() {
			c.value(field, v.Index(i))
		}
	case reflect.String:
		text := v.String()
		if isFile := strings.HasSuffix(field, "_file") || field == "files"; isFile && text != "" {
			if absolute, err := filepath.Abs(text); err == nil {
				text = absolute
			}
		}
		c.text(text)
	case reflect.Bool:
		c.text(strconv.FormatBool(v.Bool()))
	case reflect.Int64:
		c.text(strconv.FormatInt(v.Int(), 10))
	default: // a TLS version
		c.text(strconv.FormatUint(v.Uint(), 10))
	}
}

// object adds the fields of a struct.
func (c *canonical) object(v reflect.Value) {
	switch x := v.Interface().(type) {
	case secret.Value:
		c.text(x.Reveal())
		return
	case promconfig.URL:
		text := ""
		if x.URL != nil {
			text = x.URL.String()
		}
		c.text(text)
		return
	}
	known := fieldsOf(v.Type())
	for _, name := range known.names {
		if name != "name" && name != "sessions" {
			c.text(name)
			c.value(name, v.FieldByIndex(known.index[name]))
		}
	}
	if known.rest != nil {
		c.value("", v.FieldByIndex(known.rest))
	}
}
