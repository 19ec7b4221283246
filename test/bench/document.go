package main

import (
	"fmt"
	"os"

	"hmp_exporter/internal/exportertest"
)

// writeDocument writes the tables of all sections, and the others, into a document.
func writeDocument(from, to string, all []*table) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	text := string(content)
	for _, t := range all {
		if text, err = exportertest.InsertTable(text, t.name, t.String()); err != nil {
			return fmt.Errorf("%s: %w", from, err)
		}
	}
	return os.WriteFile(to, []byte(text), 0o644) //nolint:gosec // everybody may read a document
}
