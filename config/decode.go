package config

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/units"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
	"golang.org/x/net/http/httpguts"

	"hmp_exporter/internal/secret"
)

// maxAliased bounds the values from aliases, because a few lines can stand for billions.
const maxAliased = 100_000

// decode fills a raw value from YAML. It returns false if the value cannot be used.
func decode(data []byte, r *report, raw any) bool {
	node := parseYAML(data, r)
	if node == nil {
		return false
	}
	r.lines[""] = 0
	d := decoder{report: r, left: len(data) + maxAliased}
	d.decodeNode(node, "", reflect.ValueOf(raw).Elem())
	return d.left > 0 && position{report: r}.has("")
}

// decoder fills raw structs from YAML nodes. Unlike yaml's own decoder, it continues after a
// problem, reports the path and line of each, and never quotes a value.
type decoder struct {
	*report
	left int // nodes that may still be visited
}

// decodeNode fills out from a node. out is a settable value of one of the raw types.
func (d *decoder) decodeNode(n *yaml.Node, path string, out reflect.Value) {
	if d.left--; d.left == 0 {
		d.add(n.Line, "", "too many values from aliases", "write the values out")
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	want, isSingle := expected[out.Type()]
	switch {
	case d.left <= 0:
	case isSingle:
		d.scalar(n, path, want, out)
	case n.Tag == "!!null": // "sessions:" without a value counts as not given
	case out.Kind() == reflect.Slice:
		d.list(n, path, out)
	default:
		d.mapping(n, path, out)
	}
}

func (d *decoder) mapping(n *yaml.Node, path string, out reflect.Value) {
	var known fields // none for a map
	isMap := out.Kind() == reflect.Map
	if !isMap {
		known = fieldsOf(out.Type())
	}
	if n.Tag != "!!map" {
		hint := "its fields are "
		if path == "" && n.Tag == "!!seq" {
			hint = "this is a list, as in a file of target_files: check the configuration that names the file; the fields here are "
		}
		d.add(n.Line, path, "want a mapping", hint+cmp.Or(strings.Join(known.names, ", "), "names that you choose"))
		delete(d.lines, path) // so that its missing fields are not reported too
		return
	}
	for _, e := range d.entries(n, path) {
		field, isKnown := known.index[e.name]
		inner := join(path, e.name)
		switch {
		case isKnown:
			d.lines[inner] = e.line
			d.decodeNode(e.value, inner, out.FieldByIndex(field))
		case !isMap:
			d.add(e.line, path, strings.TrimSpace("unknown field "+safeFieldName.FindString(e.name)), unknownHint(out.Type(), e.name))
		case out.Type() == reflect.TypeFor[labels]() && !model.LegacyValidation.IsValidLabelName(e.name):
			d.add(e.line, path, "not a valid label name", "use letters, digits and _, and no digit in front")
		case !httpguts.ValidHeaderFieldName(e.name):
			d.add(e.line, path, "not a valid header name", "write the name, a colon and a space")
		default:
			d.lines[inner] = e.line
			if out.IsNil() {
				out.Set(reflect.MakeMap(out.Type()))
			}
			value := reflect.New(out.Type().Elem()).Elem()
			d.decodeNode(e.value, inner, value)
			out.SetMapIndex(reflect.ValueOf(e.name), value)
		}
	}
}

func (d *decoder) list(n *yaml.Node, path string, out reflect.Value) {
	if n.Tag != "!!seq" {
		hint := "begin each item with a dash, or put the items in [brackets]"
		if path == "" { // a target file
			hint = "leave out the line targets:, or does a pattern of target_files match a main file?"
		}
		d.add(n.Line, path, "want a list", hint)
		delete(d.lines, path)
		return
	}
	out.Set(reflect.MakeSlice(out.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		inner := path + indexPath(i)
		d.lines[inner] = item.Line
		d.decodeNode(item, inner, out.Index(i))
	}
}

type entry struct {
	name  string
	line  int
	value *yaml.Node
}

// entries returns the fields of a mapping, and the fields of "<<" that it does not override.
func (d *decoder) entries(n *yaml.Node, path string) (all []entry) {
	lines := make(map[string]int)
	var merged map[string]yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value, line := n.Content[i], n.Content[i+1], n.Content[i].Line
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			d.add(line, path, "a field name must be a single word", "")
		case key.Tag == "!!merge":
			merge := yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{key, value}}
			if merge.Decode(&merged) != nil {
				d.left = 0
				d.add(line, path, "<< must be a mapping, and not itself or too large", "write the values out")
				return nil
			}
		case lines[key.Value] > 0:
			d.add(line, join(path, safeFieldName.FindString(key.Value)), "the same field twice", "the first is on line "+strconv.Itoa(lines[key.Value]))
		default:
			lines[key.Value] = line
			all = append(all, entry{key.Value, line, value})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		if value := merged[name]; lines[name] == 0 {
			all = append(all, entry{name, value.Line, &value})
		}
	}
	return all
}

// expected has the types of scalars, and what each must be.
var expected = map[reflect.Type]string{
	reflect.TypeFor[string]():                "",
	reflect.TypeFor[secret.Value]():          "",
	reflect.TypeFor[promconfig.Secret]():     "",
	reflect.TypeFor[bool]():                  "true or false, without quotes",
	reflect.TypeFor[int]():                   "a whole number from 0 on",
	reflect.TypeFor[model.Duration]():        "a duration above 0 such as 500ms, 10s or 1h30m",
	reflect.TypeFor[units.Base2Bytes]():      "a size from 1KiB to 1GiB such as 64MiB",
	reflect.TypeFor[promconfig.TLSVersion](): "TLS10, TLS11, TLS12 or TLS13",
	reflect.TypeFor[promconfig.URL]():        "the URL of a proxy such as http://proxy.example:3128",
}

func (d *decoder) scalar(n *yaml.Node, path, want string, out reflect.Value) {
	switch {
	case n.Kind != yaml.ScalarNode:
		d.add(n.Line, path, "want a single value", "quote a value that begins with [ or {")
	case !strings.HasPrefix(n.Tag, "!!"):
		d.add(n.Line, path, "a tag that means nothing here", "quote a value that begins with !")
	case n.Value == "" || n.Tag == "!!null" && n.Style == 0:
		d.add(n.Line, path, "nothing is set", "give a value or remove the line")
	case !set(n, out):
		d.add(n.Line, path, "want "+want, "")
	}
}

// set sets out from a scalar. It returns false if the value is not valid. A string gets the
// text as written: a token 020001 is not the number 8193.
func set(n *yaml.Node, out reflect.Value) bool {
	if out.Kind() == reflect.String {
		out.SetString(n.Value)
		return true
	}
	switch to := out.Addr().Interface().(type) {
	case *secret.Value:
		*to = secret.New(n.Value)
		return true
	case *bool:
		return n.Tag == "!!bool" && n.Decode(to) == nil
	case *int:
		return n.Decode(to) == nil && *to >= 0
	case *model.Duration:
		return n.Decode(to) == nil && *to > 0
	case *units.Base2Bytes: // MB means MiB, as in Prometheus
		return n.Decode(to) == nil && *to >= minBodySize && *to <= maxBodySize
	case *promconfig.URL: // only proxy_url has this type; it can have a user and password
		return n.Decode(to) == nil && isProxy(to.URL) && strings.Trim(to.Path, "/") == "" && to.RawQuery == "" && to.Fragment == ""
	default:
		return n.Decode(to) == nil
	}
}
