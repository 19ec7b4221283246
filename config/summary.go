package config

import (
	"strconv"
	"strings"
)

// Summary says in half a line where a configuration comes from and how much it is, such
// as "hmp.yml and 1 target file: 2 targets, 3 sessions".
func (c *Config) Summary() string {
	sessions := 0
	for _, t := range c.Targets {
		sessions += len(t.Sessions)
	}
	var b strings.Builder
	b.WriteString(c.source)
	if c.targetFiles > 0 {
		b.WriteString(" and " + plural(c.targetFiles, "target file"))
	}
	b.WriteString(": " + plural(len(c.Targets), "target") + ", " + plural(sessions, "session"))
	return b.String()
}

// Credential says where all secrets of the session come from, and not what they are.
func (s *Session) Credential() string {
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
