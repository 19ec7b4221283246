package main

import (
	"context"
	"slices"
	"strings"
)

// A section is a part of the benchmark and its tables in the document, by name.
type section struct {
	name   string
	run    func(b *bench, ctx context.Context) error
	tables func(b *bench) []*table
}

var sections = []section{
	{"probe", (*bench).probes, (*bench).probeTables},
	{"fleet", (*bench).fleets, (*bench).fleetTables},
	{"payload", (*bench).payloads, (*bench).payloadTables},
	{"spread", (*bench).spreads, (*bench).spreadTables},
	{"start", (*bench).starts, (*bench).startTables},
}

// sectionNames are what -only takes.
func sectionNames() string {
	var names []string
	for _, s := range sections {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

func knownSection(name string) bool {
	return slices.ContainsFunc(sections, func(s section) bool { return s.name == name })
}
