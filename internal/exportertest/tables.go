package exportertest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// InsertTable replaces the table of this name in a text.
func InsertTable(text, name, table string) (string, error) {
	begin, end := fmt.Sprintf("<!-- %s -->\n", name), fmt.Sprintf("<!-- end of %s -->", name)
	before, rest, ok := strings.Cut(text, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("the text has no place for the table %s", name)
	}
	return before + begin + table + end + after, nil
}

// CheckTables compares the tables in a document with the tables of the code, by name. With
// update it writes them into the document.
func CheckTables(t testing.TB, file string, update bool, tables map[string]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, table := range tables {
		if want, err = InsertTable(want, name, table); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	if update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil { //nolint:gosec // everybody may read a document
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("%s differs from the code; run go test -run %s -update in the directory of the test (-want +got):\n%s", file, t.Name(), diff)
	}
}
