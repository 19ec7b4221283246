package secret

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

// container has a secret in every place that a printer treats in its own way.
type container struct {
	Exported   Value            `yaml:"exported"`
	unexported Value            // fmt does not call methods here
	Pointer    *Value           `yaml:"pointer"`
	Any        any              `yaml:"any"`
	List       []Value          `yaml:"list"`
	Map        map[string]Value `yaml:"map"`
	nested     struct{ secret Value }
}

func newContainer() container {
	s := New(canary.Word)
	h := container{Exported: s, unexported: s, Pointer: &s, Any: s, List: []Value{s}, Map: map[string]Value{"a": s}}
	h.nested.secret = s
	return h
}

func TestSecretIsNotPrinted(t *testing.T) {
	s, h := New(canary.Word), newContainer()
	values := []any{s, &s, h, &h, []Value{s}, [1]Value{s}, map[string]Value{"a": s}, map[string]any{"a": h}, struct{ s *Value }{&s}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%p", "%T", "%10v", "%!"} {
		for _, value := range values {
			got := fmt.Sprintf(verb, value)
			canary.Check(t, "what is printed", got)
			if strings.Contains(got, fmt.Sprintf("%x", canary.Word)) || strings.Contains(got, fmt.Sprintf("%X", canary.Word)) {
				t.Errorf("%s of %T has the secret in hexadecimal: %s", verb, value, got)
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); got != Masked {
			t.Errorf("%s = %q, want %q", verb, got, Masked)
		}
	}
}

func TestSecretIsNotEncoded(t *testing.T) {
	h := newContainer()
	encoders := map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": yaml.Marshal}
	for name, encode := range encoders {
		for _, value := range []any{h, &h, h.Exported, h.Pointer, h.List, h.Map} {
			got, err := encode(value)
			if err != nil {
				t.Fatalf("%s of %T: %v", name, value, err)
			}
			canary.Check(t, "what is printed", string(got))
			if !strings.Contains(string(got), "secret") {
				t.Errorf("%s of %T = %s, does not show that there is a secret", name, value, got)
			}
		}
	}
}

func TestSecretIsNotLogged(t *testing.T) {
	s, h := New(canary.Word), newContainer()
	var buf bytes.Buffer
	for _, logger := range []kitlog.Logger{kitlog.NewLogfmtLogger(&buf), kitlog.NewJSONLogger(&buf)} {
		for _, value := range []any{s, &s, h, &h, h.List, h.Map} {
			_ = logger.Log("value", value) // logfmt refuses some, which is as good
		}
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
		for _, value := range []any{s, &s, h, &h, h.List, h.Map} {
			slog.New(handler).Info("a", "value", value)
		}
	}
	canary.Check(t, "what is printed", buf.String())
	if !strings.Contains(buf.String(), Masked) {
		t.Errorf("nothing Masked in:\n%s", &buf)
	}
}

func TestSecretEqual(t *testing.T) {
	if !New("a").Equal(New("a")) || New("a").Equal(New("b")) || New("a").Equal(Value{}) || !New("").Equal(Value{}) {
		t.Error("Equal does not compare the values")
	}
	if got := New("a").Reveal() + (Value{}).Reveal(); got != "a" {
		t.Errorf("Reveal = %q, want a", got)
	}
}
