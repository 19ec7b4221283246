package hmp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const noLimit = 1 << 40

func decodeString(body string) (payload, error) {
	p, err := decode(strings.NewReader(body), noLimit, "sent", true)
	return *p, err
}

// fieldsNamed is the set of fields with these names, as far as they are looked for.
func fieldsNamed(names ...string) (f Fields) {
	for _, name := range names {
		if i := fieldIndex([]byte(name)); i >= 0 {
			f |= 1 << i
		}
	}
	return f
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
		body: Body{
			Size:    int64(len(body)),
			Used:    fieldsNamed("admin", "roleIds", "lastAction", "lastLoginDate", "serviceMessages"),
			Null:    fieldsNamed("numLoginFailures"),
			Invalid: fieldsNamed("authToken"),
		},
	}
	for name, r := range map[string]io.Reader{
		"at once":      bytes.NewReader(body),
		"byte by byte": iotest.OneByteReader(bytes.NewReader(body)),
		"with its end": iotest.DataErrReader(bytes.NewReader(body)),
	} {
		got, err := decode(r, int64(len(body)), "sent", true)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, *got, cmp.AllowUnexported(payload{}), cmpopts.IgnoreFields(payload{}, "secrets")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := decode(bytes.NewReader(body), int64(len(body))-1, "sent", true); !errors.Is(err, errTooLarge) {
		t.Errorf("a byte over the limit: got error %v, want %v", err, errTooLarge)
	}
}

// Every field but data may have any value: the session stays, and the field is left out.
func TestDecodeStrangeFields(t *testing.T) {
	fields := map[string]string{
		"authToken": `"sent"`, "admin": "true", "roleIds": `["a"]`, "numLoginFailures": "3",
		"lastAction": `"2025-03-21T19:20:01.099Z"`, "lastLoginDate": `"2025-03-21T19:20:01.099Z"`,
		"serviceMessages": `["a","b"]`, "displayName": `"x"`, "groups": "[]", "assets": "{}",
	}
	values := []string{
		"null", "true", "false", "0", "-1", "1e400", "-0.5e-7", strings.Repeat("9", 1000),
		`""`, `"text"`, `"\ud800"`, "\"\xff\"", "[]", `[1,"a",null,{}]`, "{}", `{"a":[{}]}`,
		strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000),
	}
	baseline, err := decodeString(object(fields, "", ""))
	if err != nil {
		t.Fatal(err)
	}
	for field, regular := range fields {
		for _, value := range values {
			got, err := decodeString(object(fields, field, value))
			if err != nil {
				t.Errorf("%s: %.40s: %v", field, value, err)
				continue
			}
			// All that the other fields tell is as it was.
			again, err := decodeString(object(map[string]string{field: value}, "", ""))
			if err != nil || !again.hasData {
				t.Errorf("%s alone: %.40s: hasData %t, %v", field, value, again.hasData, err)
			}
			restore(&got, baseline, field)
			if got.body.Size != int64(len(object(fields, field, value))) {
				t.Errorf("%s: %.40s: %d bytes were read", field, value, got.body.Size)
			}
			if own := fieldsNamed(field); (got.body.Used|own) != baseline.body.Used || (got.body.Null|got.body.Invalid)&^own != 0 {
				t.Errorf("%s: %.40s: the fields are noted as %+v", field, value, got.body)
			}
			got.body = baseline.body
			if diff := cmp.Diff(baseline, got, cmp.AllowUnexported(payload{}), cmpopts.IgnoreFields(payload{}, "secrets")); diff != "" {
				t.Errorf("%s: %.40s instead of %s changes another field (-want +got):\n%s", field, value, regular, diff)
			}
		}
	}
}

// object writes a body with fields, one of them with another value.
func object(fields map[string]string, other, value string) string {
	var members []string
	for field, v := range fields {
		if field == other {
			v = value
		}
		members = append(members, fmt.Sprintf("%q:%s", field, v))
	}
	return `{"data":{` + strings.Join(members, ",") + `}}`
}

// restore sets what field tells back to what it is in baseline.
func restore(p *payload, baseline payload, field string) {
	switch field {
	case "authToken":
		p.token, p.rotated, p.invalidToken = baseline.token, baseline.rotated, baseline.invalidToken
	case "admin":
		p.details.Admin = baseline.details.Admin
	case "roleIds":
		p.details.Roles = baseline.details.Roles
	case "numLoginFailures":
		p.details.LoginFailures = baseline.details.LoginFailures
	case "lastAction":
		p.details.LastAction = baseline.details.LastAction
	case "lastLoginDate":
		p.details.LastLogin = baseline.details.LastLogin
	case "serviceMessages":
		p.details.ServiceMessages = baseline.details.ServiceMessages
		p.details.MessageTexts = baseline.details.MessageTexts
	}
}

func TestDecodeFields(t *testing.T) {
	tests := []struct {
		name, data string
		want       Details
	}{
		{name: "nothing", data: ``},
		{name: "null", data: `"admin":null,"numLoginFailures":null,"lastAction":null,"serviceMessages":null`},
		{name: "no roles for an admin", data: `"admin":true,"roleIds":[]`, want: Details{Admin: new(true), Roles: new(0)}},
		{name: "not an admin", data: `"admin":false`, want: Details{Admin: new(false)}},
		{name: "a number in text", data: `"numLoginFailures":"3"`},
		{name: "a number", data: `"numLoginFailures":3`, want: Details{LoginFailures: new(3.0)}},
		{name: "less than nothing", data: `"numLoginFailures":-3`},
		{name: "beyond a float", data: `"numLoginFailures":1e999`},
		{name: "a thousand digits", data: `"numLoginFailures":` + strings.Repeat("1", 1000)},
		{name: "not a time", data: `"lastAction":"yesterday"`},
		{name: "before the epoch", data: `"lastAction":"0001-01-01T00:00:00.000Z"`},
		{name: "no messages", data: `"serviceMessages":[]`, want: Details{ServiceMessages: new(0)}},
		{name: "messages of other types count", data: `"serviceMessages":["a",1,null,{"text":"b"}]`,
			want: Details{ServiceMessages: new(4), MessageTexts: []string{"a"}}},
		{name: "the same message twice", data: `"serviceMessages":["a","a "]`,
			want: Details{ServiceMessages: new(2), MessageTexts: []string{"a"}}},
		{name: "an empty message", data: `"serviceMessages":[""," "]`, want: Details{ServiceMessages: new(2)}},
		{name: "escapes", data: `"serviceMessages":["\u0041\"\\\/\b\f\n\r\t\u0000\ud83d\ude00"]`,
			want: Details{ServiceMessages: new(1), MessageTexts: []string{"A\"\\/      😀"}}},
		{name: "half a character", data: `"serviceMessages":["a\ud83d"]`,
			want: Details{ServiceMessages: new(1), MessageTexts: []string{"a\ufffd"}}},
		{name: "not UTF-8", data: "\"serviceMessages\":[\"a\xff\xfeb\"]",
			want: Details{ServiceMessages: new(1), MessageTexts: []string{"a\ufffd\ufffdb"}}},
		{name: "an escaped name", data: `"\u0061dmin":true`, want: Details{Admin: new(true)}},
		{name: "a name twice", data: `"admin":true,"admin":false`, want: Details{Admin: new(false)}},
		{name: "fields of others", data: `"roles":[{"admin":true,"numLoginFailures":7}],"sections":{"x":{"serviceMessages":["a"]}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decodeString(`{"data":{` + tt.data + `}}`)
			if err != nil {
				t.Fatal(err)
			}
			want := payload{hasData: true, details: tt.want, body: got.body} // which others test
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(payload{}), cmpopts.IgnoreFields(payload{}, "secrets")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMessagesAreBounded(t *testing.T) {
	for character, kept := range map[string]int{"m": MaxMessageLength, "ж\x01": MaxMessageLength, "😀": MaxMessageLength / 2} {
		testMessagesOf(t, character, kept)
	}
}

func testMessagesOf(t *testing.T, characters string, kept int) {
	t.Helper()
	var messages []string
	for i := range 1000 {
		messages = append(messages, fmt.Sprintf("%d %s", i, strings.Repeat(characters, 200)))
	}
	list, err := json.Marshal(messages)
	if err != nil {
		t.Fatal(err)
	}
	p, err := decodeString(`{"data":{"serviceMessages":` + string(list) + `}}`)
	if err != nil {
		t.Fatal(err)
	}
	if n := *p.details.ServiceMessages; n != 1000 {
		t.Errorf("counted %d messages, want 1000", n)
	}
	if n := len(p.details.MessageTexts); n != MaxMessages {
		t.Errorf("kept %d texts, want %d", n, MaxMessages)
	}
	for _, m := range p.details.MessageTexts {
		if n := utf8.RuneCountInString(m); n > MaxMessageLength || n < kept-1 || len(m) > 2*MaxMessageLength {
			t.Errorf("kept %d characters of %q, want %d", n, characters, kept)
		}
		if !utf8.ValidString(m) || strings.ContainsFunc(m, func(r rune) bool { return r < ' ' }) {
			t.Errorf("kept a text that is not presentable: %q", m)
		}
	}
}

func TestDecodeEnvelope(t *testing.T) {
	tests := []struct{ name, body, code, message string }{
		{"documented", `{"code":"020001","name":"UserNotAuthorized","message":"User has no roles assigned","httpStatusCode":401}`, "020001", "User has no roles assigned"},
		{"status as a string", `{"code":"090002","httpStatusCode":"503"}`, "090002", ""},
		{"code as a number", `{"code":20001,"message":"m"}`, "", "m"},
		{"no code", `{"message":"m"}`, "", "m"},
		{"nothing", `{}`, "", ""},
		{"code deeper", `{"error":{"code":"020001"}}`, "", ""},
		{"code without end", `{"code":"` + strings.Repeat("0", 1000) + `"}`, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := decodeString(tt.body)
			if err != nil {
				t.Fatal(err)
			}
			if p.code != tt.code || p.message != tt.message {
				t.Errorf("got code %q and message %q, want %q and %q", p.code, p.message, tt.code, tt.message)
			}
		})
	}
}

func TestDecodeNotASession(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "space": " \n", "null": "null", "array": "[]", "string": `"data"`, "number": "1",
		"HTML": "<!doctype html><html></html>", "half a byte order mark": "\xef\xbb{}", "two byte order marks": "\ufeff\ufeff{}",
		"cut in a name": `{"da`, "cut in a value": `{"data":{"admin":tr`, "cut behind data": `{"data":{}`,
		"more behind": `{"data":{}} {}`, "comma behind": `{"data":{},}`, "comma in array": `{"data":{"groups":[1,]}}`,
		"no colon": `{"data" {}}`, "no quotes": `{data:{}}`, "wrong end": `{"data":{"groups":[}}`,
		"control character": "{\"data\":{\"a\":\"\n\"}}", "bad escape": `{"data":{"a":"\x"}}`, "bad \\u": `{"data":{"a":"\u12g4"}}`,
		"leading zero": `{"data":{"a":01}}`, "no digits": `{"data":{"a":-}}`, "no fraction": `{"data":{"a":1.}}`, "no exponent": `{"data":{"a":1e+}}`,
		"not a number": `{"data":{"a":NaN}}`, "bad literal": `{"data":{"a":nul1}}`,
		"too deep": `{"data":{"a":` + strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2) + `}}`,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := decodeString(body)
			if err == nil {
				t.Fatalf("no error; hasData %t", p.hasData)
			}
			if p.hasData {
				t.Errorf("it has data in spite of the error %q", err)
			}
		})
	}
	for name, body := range map[string]string{
		"no data": `{}`, "data null": `{"data":null}`, "data a string": `{"data":"x"}`, "data an array": `{"data":[]}`,
		"data twice, the last one null": `{"data":{},"data":null}`, "data deeper": `{"x":{"data":{}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := decodeString(body); err != nil || p.hasData {
				t.Errorf("got hasData %t and error %v, want neither", p.hasData, err)
			}
		})
	}
	if p, err := decodeString(`{"data":1,"data":{}}`); err != nil || !p.hasData {
		t.Errorf("data twice, the last one an object: hasData %t, error %v", p.hasData, err)
	}
}
