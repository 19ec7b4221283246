package config

import "go.yaml.in/yaml/v3"

// entry is one field of a mapping.
type entry struct {
	name       string
	key, value *yaml.Node
}

// mapping reports whether the node is one, and a problem if it is not.
func (d *decoder) mapping(n *yaml.Node, path, hint string) bool {
	if n.Kind == yaml.MappingNode && n.Tag == "!!map" {
		return true
	}
	d.report.addAt(n.Line, path, "want a mapping, found "+kindOf(n), hint)
	return false
}

// entries returns the fields of a mapping in their order, and after them those
// merged in with "<<" that it does not have itself. It reports duplicates.
func (d *decoder) entries(n *yaml.Node, path string) []entry {
	var own, merged []entry
	lines := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.ScalarNode && key.Tag == "!!merge" {
			merged = append(merged, d.merge(value, path)...)
			continue
		}
		line := key.Line
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			d.report.addAt(line, path, "a field name must be a single word", "")
			continue
		}
		if first, ok := lines[key.Value]; ok {
			d.duplicate(line, first, path, key.Value)
			continue
		}
		lines[key.Value] = line
		own = append(own, entry{key.Value, key, value})
	}
	for _, e := range merged {
		if _, ok := lines[e.name]; !ok {
			lines[e.name] = e.key.Line
			own = append(own, e)
		}
	}
	return own
}

func (d *decoder) duplicate(line, first int, path, name string) {
	problem := "the same field twice"
	if plainName.MatchString(name) {
		path = join(path, name)
	}
	d.report.addAt(line, path, problem, "the first is "+onLine(first))
}

// merge returns what "<<" merges in: the fields of a mapping, or of several with
// the first one to have a field winning.
func (d *decoder) merge(n *yaml.Node, path string) []entry {
	n, leave := d.enter(n)
	defer leave()
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.SequenceNode:
		var all []entry
		for _, item := range n.Content {
			all = append(all, d.merge(item, path)...)
		}
		return all
	case !d.mapping(n, path, "<< takes an alias of a mapping"):
		return nil
	default:
		return d.entries(n, path)
	}
}
