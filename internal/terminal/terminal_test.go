package terminal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/terminal"
	"hmp_exporter/internal/terminal/terminaltest"
)

func TestBlock(t *testing.T) {
	s := terminaltest.New(t, 20, 5)
	b := &terminal.Block{Terminal: s.Terminal()}
	draw := func(want bool, lines ...terminal.Line) {
		t.Helper()
		if drawn, err := b.Draw(lines); drawn != want || err != nil {
			t.Errorf("got %t, %v", drawn, err)
		}
	}
	if err := b.Terminal.Print(terminal.Text("before")); err != nil {
		t.Fatal(err)
	}
	draw(true, terminal.Text("a long first line"), terminal.Text("second"), terminal.Text("third"))
	draw(true, terminal.Line{{"first", terminal.Bad}}, terminal.Line{{"second", terminal.Good}, {" and so on and so on", terminal.Plain}})
	want := "before\nfirst\nsecond and so on a…"
	if diff := cmp.Diff(want, s.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	draw(false, make([]terminal.Line, 5)...)
	s.Width = 30
	draw(false, terminal.Text("first"))
	if diff := cmp.Diff(want, s.String()); diff != "" {
		t.Errorf("what could not be drawn changed the screen (-want +got):\n%s", diff)
	}
}

func TestColours(t *testing.T) {
	line := terminal.Line{{"a ", terminal.Plain}, {"b", terminal.Good}, {"", terminal.Bad}}
	for _, tt := range []struct {
		colours bool
		want    string
	}{{true, "a \x1b[32mb\x1b[0m\n"}, {false, "a b\n"}} {
		var out strings.Builder
		if err := terminal.New(&out, tt.colours, func() (int, int) { return 80, 24 }).Print(line); err != nil || out.String() != tt.want {
			t.Errorf("got %q, %v, want %q", &out, err, tt.want)
		}
	}
}

// A file is no terminal, whatever TERM says.
func TestOpenFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if terminal.Open(f, func(string) string { return "xterm" }) != nil {
		t.Error("a file is taken for a terminal")
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"plain, und Ümläute", "plain, und Ümläute"},
		{"a\nb\tc\rd", "a b c d"},
		{"\x1b[2Jgone\x07", "�[2Jgone�"},
		{"\u009b31m", "�31m"},        // a control sequence of one character
		{"a\u202eb\u200bc", "a�b�c"}, // turned around, and invisible
		{"\xff\xfe", "��"},           // no UTF-8
		{"\U000e0001\ufeff", "��"},   // a tag, a byte order mark
	} {
		if got := terminal.Clean(tt.text); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"one two  three four", []string{"one two", "three", "four"}},
		{"a incomprehensible b", []string{"a", "incompr", "ehensib", "le b"}},
		{"äöü äöü ä", []string{"äöü äöü", "ä"}},
	} {
		if diff := cmp.Diff(tt.want, terminal.Wrap(tt.text, 7)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, diff)
		}
	}
}
