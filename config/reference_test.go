package config

import (
	"crypto/tls"
	"os"
	"reflect"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	promconfig "github.com/prometheus/common/config"
)

func TestReferenceLoads(t *testing.T) {
	config, err := Load("reference.yml")
	if err != nil {
		t.Fatal(err)
	}
	// The first target spells out the defaults that the second one relies on.
	spelt, short := *config.Targets[0], *config.Targets[1]
	for _, target := range []*Target{&spelt, &short} {
		target.Name, target.URL, target.Sessions = "", nil, nil
	}
	if diff := cmp.Diff(spelt, short, cmpopts.IgnoreUnexported(Target{}, tls.Config{})); diff != "" {
		t.Errorf("the defaults in reference.yml are not the defaults (-spelt +short):\n%s", diff)
	}
}

// TestReferenceIsComplete looks for every field, be it commented out.
func TestReferenceIsComplete(t *testing.T) {
	text, err := os.ReadFile("reference.yml")
	if err != nil {
		t.Fatal(err)
	}
	structs := []any{rawFile{}, rawGlobal{}, rawTarget{}, rawSession{}, promconfig.TLSConfig{}, promconfig.Header{}}
	for _, s := range structs {
		for _, name := range fieldsOf(reflect.TypeOf(s)).names {
			if !regexp.MustCompile(`(?m)^ *(# *)?(- )?` + name + `:`).Match(text) {
				t.Errorf("reference.yml does not mention %s of %T", name, s)
			}
		}
	}
}
