package hmp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// An error tells which byte is wrong, wherever the reads of the body ended: here, the
// one behind the mark.
func TestSyntaxErrorPosition(t *testing.T) {
	for name, body := range map[string]string{
		"no name":                   `{^1:2}`,
		"no colon":                  `{"a" ^"b"}`,
		"no value":                  `{"a":^}`,
		"no comma":                  `{"a":1 ^"b":2}`,
		"nothing behind a comma":    `{"a":1,^}`,
		"more behind the end":       `{"a":1} ^{}`,
		"the wrong end":             `{"a":{"b":[{}^}}}`,
		"the other wrong end":       `{"a":[{"b":[]^]]}`,
		"an inner name":             `{"a":{^b":1}}`,
		"an inner comma too many":   `{"a":{"b":1,^}}`,
		"no inner colon":            `{"a":{"b"^,1}}`,
		"no first element":          `{"a":[^,1]}`,
		"no last element":           `{"a":[1,^]}`,
		"a control character":       "{\"a\":\"b^\x1f\"}",
		"an escape":                 `{"a":"\^x"}`,
		"an escaped digit":          `{"a":"\u00^g0"}`,
		"an escape in a name":       `{"\^x":1}`,
		"an escape in another name": `{"a":{"\u123^":1}}`,
		"a word":                    `{"a":tr^ee}`,
		"another word":              `{"a":[nul^]}`,
		"a word that goes on":       `{"a":false^s}`,
		"a leading zero":            `{"a":0^1}`,
		"a sign":                    `{"a":-^-1}`,
		"a fraction":                `{"a":1.^}`,
		"an exponent":               `{"a":[1e+^]}`,
		"a second point":            `{"a":1.5^.5}`,
		"a number that is counted":  `{"data":{"numLoginFailures":1^x}}`,
		"a text that is kept":       "{\"data\":{\"serviceMessages\":[\"a^\n\"]}}",
		"a name that is looked for": "{\"data\":{\"admin^\t\":true}}",
	} {
		before, after, _ := strings.Cut(body, "^")
		want := fmt.Sprintf("the body is not JSON at byte %d", len(before))
		for how, r := range map[string]io.Reader{
			"at once":      strings.NewReader(before + after),
			"byte by byte": iotest.OneByteReader(strings.NewReader(before + after)),
		} {
			if _, err := decode(r, noLimit, "sent", true); err == nil || err.Error() != want {
				t.Errorf("%s, %s: error %v, want %s", name, how, err, want)
			}
		}
	}
}

// With any byte of it lost, doubled by another or replaced by another, a body is
// accepted if encoding/json accepts it.
func TestGrammar(t *testing.T) {
	for _, body := range []string{
		`{"a" : [ true , false , null ] }`, `{"a":{"b":{} , "c":[ ]}}`, `{"a":[-0.5,0,0E1,12e+34,5.6e-7]}`,
		`{"a":"\u09aF\b\/ \\"}`, `{"\u09aF\b\/ \\":1,"a":{"\u09aF\b\/ \\":1}}`, `{"data":{"numLoginFailures":10.5e1}}`,
	} {
		for i := range len(body) {
			before, after := body[:i], body[i+1:]
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
	if _, err := decodeString(body); (err == nil) != json.Valid([]byte(body)) {
		t.Errorf("%q: error %v, accepted by encoding/json: %t", body, err, err != nil)
	}
}

// A body that ends early is told from one that is wrong, at each of its bytes.
func TestCutBody(t *testing.T) {
	const body = `{"data":{"admin":false,"x":{"\u00e9\n":[null,{},[],-1.5e+7,0,"\u0041\""]},"numLoginFailures":3}}`
	for n := 1; n < len(body); n++ {
		if _, err := decodeString(body[:n]); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: error %v, want %v", body[:n], err, io.ErrUnexpectedEOF)
		}
		broken := errors.New("broken")
		r := io.MultiReader(strings.NewReader(body[:n]), iotest.ErrReader(broken))
		if _, err := decode(r, noLimit, "sent", true); !errors.Is(err, broken) {
			t.Errorf("%s: error %v, want %v", body[:n], err, broken)
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	for depth, want := range map[int]error{maxDepth: nil, maxDepth + 1: errTooDeep} {
		body := `{"data":{"a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}}`
		if _, err := decodeString(body); !errors.Is(err, want) {
			t.Errorf("%d containers: error %v, want %v", depth, err, want)
		}
	}
}

// A value is over with its last byte: what is behind it may take its time, or be less
// well-formed than the value.
func TestSkipStopsBehindTheValue(t *testing.T) {
	for _, value := range []string{`"a"`, `true`, `{}`, `[1,{"a":[]}]`, `""`} {
		var s scanner
		s.reset(iotest.OneByteReader(io.MultiReader(strings.NewReader(value), iotest.ErrReader(errors.New("read on")))), noLimit)
		if err := s.skip(); err != nil {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestTextIsBounded(t *testing.T) {
	for _, tt := range []struct {
		source, want string
		whole        bool
	}{
		{`"abcdefg"`, "abcdefg", true},
		{`"abcdefgh"`, "abcdefg", false},
		{`"a\u0062"`, "ab", true},
		{`"ab\u0063"`, "ab", false},
		{`"abcdef\\"`, "abcdef", false},
		{`""`, "", true},
	} {
		var s scanner
		s.reset(strings.NewReader(tt.source), noLimit)
		got, whole, err := s.text(len("abcdefg"))
		if err != nil || string(got) != tt.want || whole != tt.whole {
			t.Errorf("%s: got %q, whole: %t, error %v; want %q, %t", tt.source, got, whole, err, tt.want, tt.whole)
		}
	}
}

// All texts of a body together are bounded, too.
func TestTextsAreBounded(t *testing.T) {
	text := strings.Repeat("a", maxDecoded/2-1)
	var s scanner
	s.reset(strings.NewReader(strings.Repeat(`"`+text+`"`, 3)), noLimit)
	for i, want := range []int{len(text), len(text), 2} {
		got, whole, err := s.text(len(text))
		if err != nil || len(got) != want || whole != (want == len(text)) {
			t.Errorf("text %d: %d bytes, whole: %t, error %v; want %d", i, len(got), whole, err, want)
		}
	}
}
