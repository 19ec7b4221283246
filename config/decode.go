package config

import (
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/net/http/httpguts"
)

const (
	// maxAliased bounds the values that come from aliases: a few lines of nested
	// aliases can stand for billions.
	maxAliased = 100_000
	// maxAliasDepth is how deep aliases can lead to aliases; an alias that leads
	// to itself gets there.
	maxAliasDepth = 20
)

// decoder fills raw structs from YAML nodes. Unlike yaml's own decoder it goes on
// after a problem, knows the path and line of each, and never quotes a value.
type decoder struct {
	report  *report
	depth   int // aliases on the way to the current node
	aliased int // nodes visited through an alias
	stopped bool
	known   map[reflect.Type]fields // of the structs met so far: a file has many of few types
}

// decode fills out, a settable value of one of the raw types, from a node.
func (d *decoder) decode(n *yaml.Node, path string, out reflect.Value) {
	n, leave := d.enter(n)
	defer leave()
	if n == nil || d.scalar(n, path, out) {
		return
	}
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return // "sessions:" with nothing below it is like no such line
	case out.Kind() == reflect.Pointer:
		out.Set(reflect.New(out.Type().Elem()))
		d.decode(n, path, out.Elem())
	case out.Kind() == reflect.Struct:
		d.object(n, path, out)
	case out.Kind() == reflect.Map:
		d.dictionary(n, path, out)
	default:
		d.list(n, path, out)
	}
}

// enter follows an alias and counts what is reached through one. It returns a nil
// node where the bounds are exceeded; leave must be called in any case.
func (d *decoder) enter(n *yaml.Node) (_ *yaml.Node, leave func()) {
	leave = func() {}
	line := n.Line
	if n.Kind == yaml.AliasNode {
		d.depth++
		leave = func() { d.depth-- }
		n = n.Alias
	}
	if d.depth > 0 {
		d.aliased++
	}
	if !d.stopped && (d.depth > maxAliasDepth || d.aliased > maxAliased) {
		d.stopped = true
		d.report.addAt(line, "", "aliases that stand for too much, or for themselves", "write the values out")
	}
	if d.stopped {
		return nil, leave
	}
	return n, leave
}

// object fills a struct from a mapping.
func (d *decoder) object(n *yaml.Node, path string, out reflect.Value) {
	known := d.fieldsOf(out.Type())
	hint := "it has the fields " + strings.Join(known.names, ", ")
	if known.rest != nil {
		hint = nameHint
	}
	if !d.mapping(n, path, hint) {
		d.report.broken[path] = true
		return
	}
	for _, e := range d.entries(n, path) {
		index, ok := known.index[e.name]
		switch {
		case ok:
			inner := join(path, e.name)
			d.report.lines[inner] = e.key.Line
			d.decode(e.value, inner, out.FieldByIndex(index))
		case known.rest != nil:
			d.element(e, path, out.FieldByIndex(known.rest))
		default:
			problem := "unknown field"
			if plainName.MatchString(e.name) {
				problem += " " + e.name
			}
			d.report.addAt(e.key.Line, path, problem, unknownHint(out.Type(), e.name))
		}
	}
}

// fieldsOf is the function of that name, asked once for each type.
func (d *decoder) fieldsOf(t reflect.Type) fields {
	known, ok := d.known[t]
	if !ok {
		known = fieldsOf(t)
		d.known[t] = known
	}
	return known
}

// dictionary fills a map, whose keys are up to the user, from a mapping.
func (d *decoder) dictionary(n *yaml.Node, path string, out reflect.Value) {
	if !d.mapping(n, path, nameHint) {
		return
	}
	for _, e := range d.entries(n, path) {
		d.element(e, path, out)
	}
}

const nameHint = "write name: value, with a space after the colon"

// element adds one entry to a map. Every map of a configuration is one of headers.
func (d *decoder) element(e entry, path string, out reflect.Value) {
	if !httpguts.ValidHeaderFieldName(e.name) {
		d.report.addAt(e.key.Line, path, "not a valid header name", "write the name, a colon and a space")
		return
	}
	inner := join(path, e.name)
	d.report.lines[inner] = e.key.Line
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
		if d.stopped {
			return
		}
		inner := path + "[" + strconv.Itoa(i) + "]"
		d.report.lines[inner] = item.Line
		value := reflect.New(out.Type().Elem()).Elem()
		d.decode(item, inner, value)
		out.Set(reflect.Append(out, value))
	}
}

// join adds a field to a path.
func join(path, field string) string { return strings.TrimPrefix(path+"."+field, ".") }

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
