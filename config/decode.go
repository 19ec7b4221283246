package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

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
	return p.has() && p.left > 0
}

// parse returns the value of the one document in a file. On a problem it reports the problem
// and returns nil.
func (p position) parse(data []byte) *yaml.Node {
	first, second, err := parseDocuments(bytes.NewReader(data))
	switch {
	case err != nil:
		p.addSyntaxError(data)
	case second.Line > 0: // otherwise it would be ignored
		p.addAt(second.Line, "a second document begins here", "a configuration is one YAML document; remove the line ---")
	case first.Line == 0 || first.Content[0].Tag == "!!null":
		p.addAt(first.Line, "the file is empty", "list at least one HMP under targets; a target file with none on purpose is []")
	default:
		return first.Content[0]
	}
	return nil
}

// parseDocuments returns the first two documents. The Line of a document that is missing is 0.
func parseDocuments(r io.Reader) (first, second yaml.Node, err error) {
	decoder := yaml.NewDecoder(r)
	if err = decoder.Decode(&first); err == nil {
		err = decoder.Decode(&second)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return first, second, err
}

// addSyntaxError reports a syntax error. It does not use the parser's message, which is hard
// to understand, can quote the file, and often has the line where the block begins.
func (p position) addSyntaxError(data []byte) {
	line := syntaxErrorLine(data)
	if !utf8.Valid(bytes.SplitAfter(data, []byte("\n"))[line-1]) {
		p.addAt(line, "is not UTF-8 text", "save the file as UTF-8")
		return
	}
	p.addAt(line, "malformed YAML", "check the indentation, close quotes and brackets, use no tabs, and quote a value with special characters")
}

// maxSearched bounds the bytes that syntaxErrorLine searches, because it parses them many times.
const maxSearched = 128 << 10

// parserLine matches the line in an error of the parser.
var parserLine = regexp.MustCompile(`^yaml: line (\d+)`)

// syntaxErrorLine returns the line of a syntax error. It looks for the shortest beginning of the
// file with which the parser reports the same error as with the whole file. In a large file, it
// returns a line near the mistake.
func syntaxErrorLine(data []byte) int {
	// The parser reads a little further than the mistake, or to the end for a missing quote.
	r := bytes.NewReader(data)
	_, _, err := parseDocuments(readFunc(func(b []byte) (int, error) { return r.Read(b[:1]) }))
	high := 1 + bytes.Count(data[:len(data)-r.Len()], []byte("\n"))
	if len(data) > maxSearched {
		line := high - 1
		if found := parserLine.FindStringSubmatch(fmt.Sprint(err)); found != nil && r.Len() == 0 {
			line, _ = strconv.Atoi(found[1])
		}
		return min(max(line, 1), high)
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	failure := func(line int) string {
		begin := append([]byte("#\n"), bytes.Join(lines[:line], nil)...) // the parser never names line 1
		_, _, err := parseDocuments(bytes.NewReader(begin))
		return fmt.Sprint(err)
	}
	whole, low := failure(high), high-1
	for step := 1; low > 0 && failure(low) == whole; step *= 2 {
		high, low = low, max(low-step, 0)
	}
	return low + 1 + sort.Search(high-low-1, func(i int) bool { return failure(low+1+i) == whole })
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(b []byte) (int, error) { return f(b) }

// decode fills out, a value of one of the raw types, from a node. The line is that of the
// field's name.
func (p position) decode(n *yaml.Node, line int, out reflect.Value) {
	if p.left--; p.left == 0 {
		position{document: p.document}.addAt(n.Line, "too many values from aliases", "write the values out")
	}
	if p.left <= 0 {
		return
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	p.lines[p.path] = line
	want, isSingle := expected[out.Type()]
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

// addWrongKind reports a node of the wrong kind. It removes the field from lines, so that the
// loader does not report its inner fields as missing.
func (p position) addWrongKind(n *yaml.Node, want, hint string) {
	p.addAt(n.Line, "want "+want, hint)
	delete(p.lines, p.path)
}

func (p position) decodeStruct(n *yaml.Node, out reflect.Value) {
	known := fieldsOf(out.Type())
	list := strings.Join(known.names, ", ")
	if n.Tag != "!!map" {
		p.addWrongKind(n, "a mapping", "its fields are "+list)
		return
	}
	for _, e := range p.entries(n) {
		name := e.name
		if known.index[name] == nil {
			near, hint := Nearest(name, known.names), "known fields: "+list
			if near != "" {
				hint = "did you mean " + near + "?"
			}
			p.addAt(e.line, strings.TrimSpace("unknown field "+safeName.FindString(name)), hint)
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
		p.addWrongKind(n, "a mapping", "its fields are names that you choose")
		return
	}
	out.Set(reflect.MakeMap(out.Type()))
	for _, e := range p.entries(n) {
		if !validName.MatchString(e.name) {
			p.addAt(e.line, "not a valid name", "write the name, a colon and a space")
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
		p.addWrongKind(n, "a list", hint)
		return
	}
	out.Set(reflect.MakeSlice(out.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		p.item("", i).decode(item, item.Line, out.Index(i))
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
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			p.addAt(line, "a field name must be a single word", "")
		case key.Tag == "!!merge":
			merge := yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{key, value}}
			if merge.Decode(&merged) != nil {
				p.left = 0
				p.addAt(line, "<< must be a mapping, and not itself or too large", "write the values out")
				return nil
			}
		case lines[key.Value] > 0:
			p.child(safeName.FindString(key.Value)).addAt(line, "the same field twice", "the first is on line "+strconv.Itoa(lines[key.Value]))
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

// expected has the types of single values, and what each must be.
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

func (p position) decodeSingle(n *yaml.Node, want string, out reflect.Value) {
	switch {
	case n.Kind != yaml.ScalarNode:
		p.addAt(n.Line, "want a single value", "quote a value that begins with [ or {")
	case !strings.HasPrefix(n.Tag, "!!"):
		p.addAt(n.Line, "YAML tags are not supported", "quote a value that begins with !")
	case n.Value == "" || n.Tag == "!!null" && n.Style == 0:
		p.addAt(n.Line, "nothing is set", "give a value or remove the line")
	case !set(n, out):
		p.addAt(n.Line, "want "+want, "")
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
