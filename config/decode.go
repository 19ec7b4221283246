package config

import (
	"net/url"
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

const (
	// maxAliased bounds the values that come from aliases: a few lines of nested
	// aliases can stand for billions.
	maxAliased = 100_000
	// maxMerges is how deep "<<" can lead to "<<"; one that leads to itself gets there.
	maxMerges = 20
)

// decoder fills raw structs from YAML nodes. Unlike yaml's own decoder it goes on
// after a problem, knows the path and line of each, and never quotes a value.
type decoder struct {
	report *report
	left   int // nodes that may still be visited
}

// nodes counts a node and all in it, each alias as one.
func nodes(n *yaml.Node) int {
	total := 1
	for _, child := range n.Content {
		total += nodes(child)
	}
	return total
}

// decode fills out, a settable value of one of the raw types, from a node.
func (d *decoder) decode(n *yaml.Node, path string, out reflect.Value) {
	n = d.follow(n)
	switch kind := out.Kind(); {
	case n == nil:
	case isScalar(out):
		d.scalar(n, path, out)
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		// "sessions:" with nothing below it is like no such line
	case kind == reflect.Slice:
		d.list(n, path, out)
	default:
		d.mapping(n, path, out)
	}
}

// follow returns the node that an alias stands for, and any other as it is. It returns
// nil once more nodes have been visited than a configuration can have.
func (d *decoder) follow(n *yaml.Node) *yaml.Node {
	if d.left--; d.left == 0 {
		d.tooMuch(n.Line)
	}
	switch {
	case d.left <= 0:
		return nil
	case n.Kind == yaml.AliasNode:
		return n.Alias
	default:
		return n
	}
}

// tooMuch ends the decoding.
func (d *decoder) tooMuch(line int) {
	d.left = 0
	d.report.addAt(line, "", "aliases that stand for too much, or for themselves", "write the values out")
}

// mapping fills a struct, or a map whose keys are up to the user.
func (d *decoder) mapping(n *yaml.Node, path string, out reflect.Value) {
	var known fields
	rest := out // takes the names that no field has
	hint := nameHint
	if out.Kind() == reflect.Struct {
		known = fieldsOf(out.Type())
		rest = reflect.Value{}
		if known.rest != nil {
			rest = out.FieldByIndex(known.rest)
		} else {
			hint = "it has the fields " + strings.Join(known.names, ", ")
		}
	}
	if !d.isMapping(n, path, hint) {
		d.report.broken[path] = true
		return
	}
	for _, e := range d.entries(n, path, 0) {
		index, ok := known.index[e.name]
		switch {
		case ok:
			inner := join(path, e.name)
			d.report.lines[inner] = e.line
			d.decode(e.value, inner, out.FieldByIndex(index))
		case rest.IsValid():
			d.header(e, path, rest)
		default:
			problem := "unknown field"
			if plainName.MatchString(e.name) {
				problem += " " + e.name
			}
			d.report.addAt(e.line, path, problem, unknownHint(out.Type(), e.name))
		}
	}
}

const nameHint = "write name: value, with a space after the colon"

// header adds one entry to a map. Every map of a configuration is one of headers.
func (d *decoder) header(e entry, path string, out reflect.Value) {
	if !httpguts.ValidHeaderFieldName(e.name) {
		d.report.addAt(e.line, path, "not a valid header name", "write the name, a colon and a space")
		return
	}
	inner := join(path, e.name)
	d.report.lines[inner] = e.line
	value := reflect.New(out.Type().Elem()).Elem()
	d.decode(e.value, inner, value)
	if out.IsNil() {
		out.Set(reflect.MakeMap(out.Type()))
	}
	out.SetMapIndex(reflect.ValueOf(e.name), value)
}

// list fills a slice from a sequence.
func (d *decoder) list(n *yaml.Node, path string, out reflect.Value) {
	if n.Kind != yaml.SequenceNode || n.Tag != "!!seq" {
		d.report.addAt(n.Line, path, "want a list, found "+kindOf(n), "begin each item with a dash, or put the items in [brackets]")
		return
	}
	for i, item := range n.Content {
		if d.left <= 0 {
			return
		}
		inner := path + index(i)
		d.report.lines[inner] = item.Line
		value := reflect.New(out.Type().Elem()).Elem()
		d.decode(item, inner, value)
		out.Set(reflect.Append(out, value))
	}
}

// entry is one field of a mapping.
type entry struct {
	name  string
	line  int
	value *yaml.Node
}

// isMapping reports whether the node is a mapping, and a problem if it is not.
func (d *decoder) isMapping(n *yaml.Node, path, hint string) bool {
	if n.Kind == yaml.MappingNode && n.Tag == "!!map" {
		return true
	}
	d.report.addAt(n.Line, path, "want a mapping, found "+kindOf(n), hint)
	return false
}

// entries returns the fields of a mapping in their order, and after them those
// merged in with "<<" that it does not have itself. It reports duplicates.
func (d *decoder) entries(n *yaml.Node, path string, merges int) []entry {
	var own, merged []entry
	lines := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		line, value := n.Content[i].Line, n.Content[i+1]
		key := d.follow(n.Content[i])
		if key == nil {
			return nil
		}
		first, twice := lines[key.Value]
		switch {
		case key.Kind == yaml.ScalarNode && key.Tag == "!!merge":
			merged = append(merged, d.merge(value, path, merges+1)...)
		case key.Kind != yaml.ScalarNode:
			d.report.addAt(line, path, "a field name must be a single word", "")
		case twice:
			at := path
			if plainName.MatchString(key.Value) {
				at = join(path, key.Value)
			}
			d.report.addAt(line, at, "the same field twice", "the first is "+onLine(first))
		default:
			lines[key.Value] = line
			own = append(own, entry{key.Value, line, value})
		}
	}
	for _, e := range merged {
		if _, ok := lines[e.name]; !ok {
			lines[e.name] = e.line
			own = append(own, e)
		}
	}
	return own
}

// merge returns what "<<" merges in: the fields of a mapping, or of several with
// the first one to have a field winning.
func (d *decoder) merge(n *yaml.Node, path string, merges int) []entry {
	line := n.Line
	n = d.follow(n)
	switch {
	case n == nil:
		return nil
	case merges > maxMerges:
		d.tooMuch(line)
		return nil
	case n.Kind == yaml.SequenceNode:
		var all []entry
		for _, item := range n.Content {
			all = append(all, d.merge(item, path, merges+1)...)
		}
		return all
	case !d.isMapping(n, path, "<< takes an alias of a mapping"):
		return nil
	default:
		return d.entries(n, path, merges)
	}
}

// isScalar reports whether a single value stands for a type.
func isScalar(out reflect.Value) bool {
	switch out.Addr().Interface().(type) {
	case *secret.Value, *promconfig.URL:
		return true
	}
	return !slices.Contains([]reflect.Kind{reflect.Struct, reflect.Map, reflect.Slice}, out.Kind())
}

// plainTags are the tags that YAML gives to single values by itself.
var plainTags = []string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp", "!!null", "!!merge"}

// scalar fills out from a single value.
func (d *decoder) scalar(n *yaml.Node, path string, out reflect.Value) {
	switch {
	case n.Kind != yaml.ScalarNode:
		d.report.addAt(n.Line, path, "want a single value, found "+kindOf(n), "quote a value that begins with [ or {")
	case !slices.Contains(plainTags, n.Tag):
		d.report.addAt(n.Line, path, "a tag that means nothing here", "quote a value that begins with !")
	case n.Value == "" || n.Tag == "!!null" && n.Style == 0:
		d.report.addAt(n.Line, path, "nothing is set", "give a value or remove the line")
	default:
		if want := setScalar(n, out.Addr().Interface()); want != "" {
			d.report.addAt(n.Line, path, "want "+want, "")
		}
	}
}

// setScalar sets what out points to, or says what it wants instead. A string takes the
// text as it is written: a token 020001 is not the number 8193.
func setScalar(n *yaml.Node, out any) (want string) {
	switch out := out.(type) {
	case *string:
		*out = n.Value
	case *secret.Value:
		*out = secret.New(n.Value)
	case *promconfig.Secret:
		*out = promconfig.Secret(n.Value)
	case *bool:
		value, err := strconv.ParseBool(n.Value) // true, True and TRUE, as in YAML
		if n.Tag != "!!bool" || err != nil {
			return "true or false, without quotes"
		}
		*out = value
	case *model.Duration:
		value, err := model.ParseDuration(n.Value)
		if err != nil || value <= 0 {
			return "a duration above 0 such as 500ms, 10s or 1h30m"
		}
		*out = value
	case *units.Base2Bytes: // MB is another way to write MiB, as in Prometheus
		value, err := units.ParseBase2Bytes(n.Value)
		if err != nil || value < minBodySize || value > maxBodySize {
			return "a size from 1KiB to 1GiB such as 64MiB"
		}
		*out = value
	case *promconfig.TLSVersion:
		value, ok := promconfig.TLSVersions[n.Value]
		if !ok {
			return "TLS10, TLS11, TLS12 or TLS13"
		}
		*out = value
	case *promconfig.URL: // only a proxy's is decoded here, and it can have a user and password
		u, err := url.Parse(n.Value)
		if err != nil || !isProxy(u) || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
			return "the URL of a proxy such as http://proxy.example:3128"
		}
		out.URL = u
	}
	return ""
}

// join adds a field to a path.
func join(path, field string) string { return strings.TrimPrefix(path+"."+field, ".") }

// index is the path of a list item within the list.
func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

// kindOf names what stands in the wrong place, without quoting it.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		return "a value with a tag"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	default:
		return "a single value"
	}
}
