package config

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/alecthomas/units"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/secret"
)

// maxAliased bounds the values from aliases, because a few lines can stand for billions.
const maxAliased = 100_000

// decodeYAML fills a raw value from YAML and records the line of each field. Unlike yaml's own
// decoder, it continues after a problem, has the path of each, and never quotes a value. It
// returns false if the value of the file is of the wrong kind.
func (p position) decodeYAML(data []byte, raw any) bool {
	node := p.parse(data)
	if node == nil {
		return false
	}
	p.left = len(data) + maxAliased
	p.decode(node, 0, reflect.ValueOf(raw).Elem())
	return p.isGiven() && p.left > 0
}

// decode fills out, a value of one of the raw types, from a node. The line is that of the
// field's name.
func (p position) decode(n *yaml.Node, line int, out reflect.Value) {
	if p.left--; p.left == 0 {
		p.reportAt(n.Line, "too many values from aliases", "write the values out")
	}
	if p.left <= 0 {
		return
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	p.lines[p.path] = line
	want, isSingle := singleValues[out.Type()]
	switch {
	case isSingle:
		p.decodeSingle(n, want, out)
	case n.Tag == "!!null": // "sessions:" without a value counts as not given
	case out.Kind() == reflect.Slice:
		p.decodeList(n, out)
	case out.Kind() == reflect.Map:
		p.decodeMap(n, out)
	default:
		p.decodeStruct(n, out)
	}
}

// reportWrongKind reports a node of the wrong kind. It removes the field from lines, so that the
// loader does not report its inner fields as missing.
func (p position) reportWrongKind(n *yaml.Node, want, hint string) {
	p.reportAt(n.Line, "want "+want, hint)
	delete(p.lines, p.path)
}

func (p position) decodeStruct(n *yaml.Node, out reflect.Value) {
	known := fieldsOf(out.Type())
	list := strings.Join(known.names, ", ")
	if n.Tag != "!!map" {
		p.reportWrongKind(n, "a mapping", "its fields are "+list)
		return
	}
	for _, e := range p.entries(n) {
		name := e.name
		if known.index[name] == nil {
			near, hint := Nearest(name, known.names), "known fields: "+list
			if near != "" {
				hint = "did you mean " + near + "?"
			}
			p.reportAt(e.line, strings.TrimSpace("unknown field "+safeName.FindString(name)), hint)
			name = near // decoded, so that it is not missing too
		}
		if name != "" {
			p.child(name).decode(e.value, e.line, out.FieldByIndex(known.index[name]))
		}
	}
}

// decodeMap decodes labels and headers, whose names a user chooses.
func (p position) decodeMap(n *yaml.Node, out reflect.Value) {
	if n.Tag != "!!map" {
		p.reportWrongKind(n, "a mapping", "its fields are names that you choose")
		return
	}
	out.Set(reflect.MakeMap(out.Type()))
	for _, e := range p.entries(n) {
		if !validName.MatchString(e.name) {
			p.reportAt(e.line, "not a valid name", "write the name, a colon and a space")
			continue
		}
		value := reflect.New(out.Type().Elem()).Elem()
		p.child(e.name).decode(e.value, e.line, value)
		out.SetMapIndex(reflect.ValueOf(e.name), value)
	}
}

// safeName matches the name of an unknown field that cannot be a secret. In YAML, "{token:abc}"
// has a field named "token:abc".
var safeName = regexp.MustCompile(`^[a-z_]{1,32}$`)

func (p position) decodeList(n *yaml.Node, out reflect.Value) {
	if n.Tag != "!!seq" {
		hint := "begin each item with a dash, or put the items in [brackets]"
		if p.path == "" { // a target file
			hint = "leave out the line targets:, or does a pattern of target_files match a main file?"
		}
		p.reportWrongKind(n, "a list", hint)
		return
	}
	out.Set(reflect.MakeSlice(out.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		p.item(i).decode(item, item.Line, out.Index(i))
	}
}

type entry struct {
	name  string
	line  int
	value *yaml.Node
}

// entries returns the fields of a mapping, and the fields of "<<" that it does not override.
func (p position) entries(n *yaml.Node) (all []entry) {
	lines := make(map[string]int)
	var merged map[string]yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value, line := n.Content[i], n.Content[i+1], n.Content[i].Line
		switch {
		case key.Kind != yaml.ScalarNode:
			p.reportAt(line, "a field name must be a single word", "")
		case key.Tag == "!!merge":
			merge := yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{key, value}}
			if merge.Decode(&merged) != nil {
				p.left = 0 // decode nothing more
				p.reportAt(line, "<< must be a mapping, and not itself or too large", "write the values out")
				return nil
			}
		case lines[key.Value] > 0:
			p.child(safeName.FindString(key.Value)).reportAt(line, "the same field twice", "the first is on line "+strconv.Itoa(lines[key.Value]))
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

// singleValues are the types of single values, and what each must be.
var singleValues = map[reflect.Type]string{
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

func (p position) decodeSingle(n *yaml.Node, want string, out reflect.Value) {
	switch {
	case n.Kind != yaml.ScalarNode:
		p.reportAt(n.Line, "want a single value", "quote a value that begins with [ or {")
	case !strings.HasPrefix(n.Tag, "!!"):
		p.reportAt(n.Line, "YAML tags are not supported", "quote a value that begins with !")
	case n.Value == "" || n.Tag == "!!null":
		p.reportAt(n.Line, "nothing is set", "give a value or remove the line")
	case !set(n, out):
		p.reportAt(n.Line, "want "+want, "")
	}
}

// set sets out from a single value. It returns false if the value is not valid. A string gets
// the text as written: a token 020001 is not the number 8193.
func set(n *yaml.Node, out reflect.Value) bool {
	if out.Kind() == reflect.String {
		out.SetString(n.Value)
		return true
	}
	switch to := out.Addr().Interface().(type) {
	case *secret.Value:
		*to = secret.New(n.Value)
		return true
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

type fields struct {
	names []string         // in the order of the struct
	index map[string][]int // as for reflect.Value.FieldByIndex
}

// knownFields caches the fields of types, because a file can have thousands of sessions.
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
