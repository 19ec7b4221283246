package config

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/prometheus/common/model"
)

// Summary writes what would be probed: a line that counts, and a table of all
// sessions. It says where secrets come from and not what they are.
func (c *Config) Summary(w io.Writer) error {
	var buf bytes.Buffer
	c.counts(&buf)
	table := tabwriter.NewWriter(&buf, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TARGET\tSESSION\tURL\tCREDENTIAL\tTIMEOUT")
	for _, t := range c.Targets {
		for _, s := range t.Sessions {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", t.Name, s.Name, t.URL, s.credential(), model.Duration(t.Timeout))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := w.Write(buf.Bytes())
	return err
}

// counts writes a line such as "hmp.yml and 1 target file: 2 targets, 3 sessions".
func (c *Config) counts(w io.Writer) {
	sessions := 0
	for _, t := range c.Targets {
		sessions += len(t.Sessions)
	}
	fmt.Fprint(w, c.source)
	if c.targetFiles > 0 {
		fmt.Fprint(w, " and ", plural(c.targetFiles, "target file"))
	}
	fmt.Fprintf(w, ": %s, %s\n", plural(len(c.Targets), "target"), plural(sessions, "session"))
}

// credential says where all secrets of the session come from.
func (s *Session) credential() string {
	if s.KeyMode() {
		return s.APIKey.String() + ", " + s.APISecret.String()
	}
	return s.Token.String()
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
