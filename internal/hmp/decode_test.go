package hmp

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const noLimit = 1 << 40

func decodeString(body string) error {
	_, err := decode(strings.NewReader(body), noLimit, "sent", true)
	return err
}

func TestDecodeVendorExample(t *testing.T) {
	body, err := os.ReadFile("testdata/session.json")
	if err != nil {
		t.Fatal(err)
	}
	want := payload{
		hasData:      true,
		rotated:      true,
		invalidToken: true,
		details: Details{
			Admin:           new(true),
			Roles:           new(1),
			LastAction:      time.Date(2025, 3, 21, 19, 20, 1, 99e6, time.UTC),
			LastLogin:       time.Date(2025, 3, 21, 17, 29, 7, 272e6, time.UTC),
			ServiceMessages: new(1),
			MessageTexts:    []string{"Password change required for built-in user account (operator)"},
		},
		size:    int64(len(body)),
		invalid: []string{"authToken"},
	}
	got, err := decode(iotest.DataErrReader(bytes.NewReader(body)), int64(len(body)), "sent", true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, *got, cmp.AllowUnexported(payload{}), cmpopts.IgnoreFields(payload{}, "secrets")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := decode(bytes.NewReader(body), int64(len(body))-1, "sent", true); !errors.Is(err, errTooLarge) {
		t.Errorf("a byte over the limit: got error %v, want %v", err, errTooLarge)
	}
}

// With any byte of it lost, doubled or replaced, a body is accepted if encoding/json accepts
// it. Otherwise the decoder finds the error at the same byte.
func TestGrammar(t *testing.T) {
	for _, body := range []string{
		`{"a" : [ true , false , null ] }`, `{"a":{"b":{} , "c":[ ]}}`, `{"a":[-0.5,0,0E1,12e+34,5.6e-7]}`,
		`{"a":"\u09aF\b\/ \\"}`, `{"\u09aF\b\/ \\":1,"a":{"\u09aF\b\/ \\":1}}`, `{"data":{"numLoginFailures":10.5e1}}`,
	} {
		for i := range len(body) {
			before, after := body[:i], body[i+1:]
			checkAgainstJSON(t, before)
			checkAgainstJSON(t, before+after)
			for c := range 0x100 {
				other := string([]byte{byte(c)})
				checkAgainstJSON(t, before+other+after)
				checkAgainstJSON(t, before+other+body[i:])
			}
		}
	}
}

func checkAgainstJSON(t *testing.T, body string) {
	t.Helper()
	var top map[string]json.RawMessage
	want := json.Unmarshal([]byte(body), &top)
	err := decodeString(body)
	if form := formOf(want, []byte(body), 0); (err == nil) != (want == nil) || form != nil && !errors.Is(err, form) {
		t.Errorf("%q: error %v, of encoding/json: %v", body, err, want)
	}
}

func TestDepthIsBounded(t *testing.T) {
	for depth, want := range map[int]error{maxDepth: nil, maxDepth + 1: errTooDeep} {
		body := `{"data":{"a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}}`
		if err := decodeString(body); !errors.Is(err, want) {
			t.Errorf("%d containers: error %v, want %v", depth, err, want)
		}
	}
}
