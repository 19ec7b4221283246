package config

import (
	"hmp_exporter/internal/secret"
	"net/url"
	"reflect"
	"slices"
	"strconv"

	"github.com/alecthomas/units"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// plainTags are the tags that YAML gives to single values by itself.
var plainTags = []string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp", "!!null", "!!merge"}

// scalar fills out if it is of a type that a single value stands for, and reports
// whether it is.
//
// A string takes the text as it is written: a token 020001 is not the number 8193.
func (d *decoder) scalar(n *yaml.Node, path string, out reflect.Value) bool {
	var set func(text string) (want string)
	switch out := out.Addr().Interface().(type) {
	case *string:
		set = func(text string) string { *out = text; return "" }
	case *secret.Value:
		set = func(text string) string { *out = secret.New(text); return "" }
	case *promconfig.Secret:
		set = func(text string) string { *out = promconfig.Secret(text); return "" }
	case *bool:
		set = func(text string) string { return parseBool(n, out) }
	case *model.Duration:
		set = func(text string) string { return parseDuration(text, out) }
	case *units.Base2Bytes:
		set = func(text string) string { return parseSize(text, out) }
	case *promconfig.TLSVersion:
		set = func(text string) string { return parseTLSVersion(text, out) }
	case *promconfig.URL:
		set = func(text string) string { return parseProxyURL(text, out) }
	default:
		return false
	}

	switch {
	case n.Kind != yaml.ScalarNode:
		d.report.addAt(n.Line, path, "want a single value, found "+kindOf(n), "quote a value that begins with [ or {")
	case !slices.Contains(plainTags, n.Tag):
		d.report.addAt(n.Line, path, "a tag that means nothing here", "quote a value that begins with !")
	case n.Value == "" || n.Tag == "!!null" && n.Style == 0:
		d.report.addAt(n.Line, path, "nothing is set", "give a value or remove the line")
	default:
		if want := set(n.Value); want != "" {
			d.report.addAt(n.Line, path, "want "+want, "")
		}
	}
	return true
}

// The parsers below return what they want, or "" if they got it.

func parseBool(n *yaml.Node, out *bool) string {
	if n.Tag != "!!bool" {
		return "true or false, without quotes"
	}
	value, err := strconv.ParseBool(n.Value) // true, True and TRUE, as in YAML
	if err != nil {
		return "true or false"
	}
	*out = value
	return ""
}

func parseDuration(text string, out *model.Duration) string {
	value, err := model.ParseDuration(text)
	if err != nil || value <= 0 {
		return "a duration above 0 such as 500ms, 10s or 1h30m"
	}
	*out = value
	return ""
}

// parseSize takes sizes as Prometheus does: a number with a unit, where MB is
// another way to write MiB.
func parseSize(text string, out *units.Base2Bytes) string {
	value, err := units.ParseBase2Bytes(text)
	if err != nil || value < minBodySize || value > maxBodySize {
		return "a size from 1KiB to 1GiB such as 64MiB"
	}
	*out = value
	return ""
}

func parseTLSVersion(text string, out *promconfig.TLSVersion) string {
	value, ok := promconfig.TLSVersions[text]
	if !ok {
		return "TLS10, TLS11, TLS12 or TLS13"
	}
	*out = value
	return ""
}

// parseProxyURL takes what net/http can use as a proxy. Only there, a URL can have
// a user and password.
func parseProxyURL(text string, out *promconfig.URL) string {
	u, err := url.Parse(text)
	schemes := []string{"http", "https", "socks5", "socks5h"}
	if err != nil || !slices.Contains(schemes, u.Scheme) || u.Hostname() == "" || !validPort(u) ||
		u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return "the URL of a proxy such as http://proxy.example:3128"
	}
	out.URL = u
	return ""
}
