package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	kitlog "github.com/go-kit/log"
	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/canary"
)

// holder has a secret in every place that a printer treats in its own way.
type holder struct {
	Exported   Secret            `yaml:"exported"`
	unexported Secret            // fmt does not call methods here
	Pointer    *Secret           `yaml:"pointer"`
	Any        any               `yaml:"any"`
	List       []Secret          `yaml:"list"`
	Map        map[string]Secret `yaml:"map"`
	nested     struct{ secret Secret }
	source     SecretSource
}

func newHolder() holder {
	s := NewSecret(canary.Word)
	h := holder{Exported: s, unexported: s, Pointer: &s, Any: s, List: []Secret{s}, Map: map[string]Secret{"a": s}}
	h.nested.secret = s
	h.source = SecretSource{name: "token", value: s}
	return h
}

func TestSecretIsNotPrinted(t *testing.T) {
	s, h := NewSecret(canary.Word), newHolder()
	values := []any{s, &s, h, &h, []Secret{s}, [1]Secret{s}, map[string]Secret{"a": s}, map[string]any{"a": h}, struct{ s *Secret }{&s}, h.source, &h.source}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%p", "%T", "%10v", "%!"} {
		for _, value := range values {
			got := fmt.Sprintf(verb, value)
			noCanary(t, got)
			if strings.Contains(got, fmt.Sprintf("%x", canary.Word)) || strings.Contains(got, fmt.Sprintf("%X", canary.Word)) {
				t.Errorf("%s of %T has the secret in hexadecimal: %s", verb, value, got)
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); got != masked {
			t.Errorf("%s = %q, want %q", verb, got, masked)
		}
	}
}

func TestSecretIsNotEncoded(t *testing.T) {
	h := newHolder()
	encoders := map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": yaml.Marshal}
	for name, encode := range encoders {
		for _, value := range []any{h, &h, h.Exported, h.Pointer, h.List, h.Map} {
			got, err := encode(value)
			if err != nil {
				t.Fatalf("%s of %T: %v", name, value, err)
			}
			noCanary(t, string(got))
			if !strings.Contains(string(got), "secret") {
				t.Errorf("%s of %T = %s, does not show that there is a secret", name, value, got)
			}
		}
	}
}

func TestSecretIsNotLogged(t *testing.T) {
	s, h := NewSecret(canary.Word), newHolder()
	var buf bytes.Buffer
	for _, logger := range []kitlog.Logger{kitlog.NewLogfmtLogger(&buf), kitlog.NewJSONLogger(&buf)} {
		for _, value := range []any{s, &s, h, &h, h.List, h.Map, h.source} {
			_ = logger.Log("value", value) // logfmt refuses some, which is as good
		}
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
		for _, value := range []any{s, &s, h, &h, h.List, h.Map, h.source} {
			slog.New(handler).Info("a", "value", value)
		}
	}
	noCanary(t, buf.String())
	if !strings.Contains(buf.String(), masked) {
		t.Errorf("nothing masked in:\n%s", &buf)
	}
}

func TestSecretEqual(t *testing.T) {
	if !NewSecret("a").Equal(NewSecret("a")) || NewSecret("a").Equal(NewSecret("b")) || NewSecret("a").Equal(Secret{}) || !NewSecret("").Equal(Secret{}) {
		t.Error("Equal does not compare the values")
	}
	if got := NewSecret("a").Reveal() + (Secret{}).Reveal(); got != "a" {
		t.Errorf("Reveal = %q, want a", got)
	}
}
