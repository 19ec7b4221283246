package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSelect(t *testing.T) {
	var many []string
	for i := range 25 {
		many = append(many, fmt.Sprintf("s%02d", i))
	}
	config := &Config{Targets: []*Target{newTarget("studio", "playout", "archive"), newTarget("Lab-1", "playout"), newTarget("many", many...)}}
	for _, tt := range []struct {
		target, session string
		want            string // of the names, or of the error
	}{
		{"studio", "", "studio/playout studio/archive"},
		{"studio", "archive", "studio/archive"},
		{"stduio", "", `unknown target "stduio"; did you mean studio? there is studio, Lab-1, many`},
		{"lab-1", "", `unknown target "lab-1"; did you mean Lab-1? there is studio, Lab-1, many`},
		{"nowhere\x1b[2J", "", `unknown target "nowhere\x1b[2J"; there is studio, Lab-1, many`},
		{strings.Repeat("a", 300), "", `unknown target "` + strings.Repeat("a", 100) + `"; there is studio, Lab-1, many`},
		{"studio", "archiv", `unknown session "archiv" of target studio; did you mean archive? there is playout, archive`},
		{"many", "x", `unknown session "x" of target many; there is ` + strings.Join(many[:20], ", ") + " and 5 more"},
	} {
		t.Run(tt.target+" "+tt.session, func(t *testing.T) {
			selected, err := config.Select(tt.target, tt.session)
			got := strings.Join(names(selected), " ")
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if all, err := config.Select("", ""); err != nil || len(all) != 28 {
		t.Errorf("got %d sessions of all, %v", len(all), err)
	}
	if _, err := new(Config).Select("studio", ""); errorText(err) != "no session is configured: see target_files" {
		t.Errorf("got %v of a configuration without targets", err)
	}
}

func newTarget(target string, sessions ...string) *Target {
	t := &Target{Name: target}
	for _, s := range sessions {
		t.Sessions = append(t.Sessions, &Session{Name: s})
	}
	return t
}

func names(selected []Selected) []string {
	var list []string
	for _, s := range selected {
		list = append(list, s.Target.Name+"/"+s.Session.Name)
	}
	return list
}
