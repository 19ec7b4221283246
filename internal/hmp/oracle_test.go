package hmp

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// An expectation is the content of a body by encoding/json and the vendor's documentation. It
// does not care for speed or size.
type expectation struct {
	payload
	accepted   bool // it is one JSON object
	textsKnown bool // the decoder does not cut the source of a message
}

// expect returns the expected content of a body. deep is true if encoding/json refuses its depth.
func expect(body []byte, sent string) (want expectation, deep bool) {
	var top, data map[string]json.RawMessage
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	err := json.Unmarshal(body, &top)
	if err != nil && strings.Contains(err.Error(), "max depth") {
		return want, true
	}
	want.textsKnown = true
	want.code, want.message = codeAndMessage(body)
	if want.accepted = err == nil && top != nil; !want.accepted {
		return want, false
	}
	if json.Unmarshal(top["data"], &data) != nil || data == nil {
		return want, false
	}
	want.hasData = true
	want.expectToken(data["authToken"], sent)
	want.expectMessages(data["serviceMessages"])
	d := &want.details
	d.Admin = valueOf[bool](data["admin"])
	d.LastAction, d.LastLogin = timeOf(data["lastAction"]), timeOf(data["lastLoginDate"])
	if roles := valueOf[[]json.RawMessage](data["roleIds"]); roles != nil {
		d.Roles = new(len(*roles))
	}
	if n := data["numLoginFailures"]; len(n) <= 64 && !bytes.HasPrefix(n, []byte("-")) {
		d.LoginFailures = valueOf[float64](n)
	}
	want.expectFields(data)
	return want, false
}

// expectFields sets the fields whose values are not documented.
func (want *expectation) expectFields(data map[string]json.RawMessage) {
	d := want.details
	for name, valid := range map[string]bool{
		"authToken":        bytes.HasPrefix(data["authToken"], []byte(`"`)) && !want.invalidToken,
		"admin":            d.Admin != nil,
		"roleIds":          d.Roles != nil,
		"numLoginFailures": d.LoginFailures != nil,
		"lastAction":       !d.LastAction.IsZero(),
		"lastLoginDate":    !d.LastLogin.IsZero(),
		"serviceMessages":  d.ServiceMessages != nil,
	} {
		if source, ok := data[name]; ok && !valid && string(source) != "null" {
			want.invalid = append(want.invalid, name)
		}
	}
	slices.Sort(want.invalid)
}

// codeAndMessage returns the code and the message of a body, up to its first error.
func codeAndMessage(body []byte) (code, message string) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return "", ""
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			break
		}
		field := map[any]*string{"code": &code, "message": &message}[name]
		if field == nil || !bytes.HasPrefix(bytes.TrimLeft(body[d.InputOffset():], " \t\r\n"), []byte(":")) {
			field = new(string) // another field
		}
		*field = ""
		var value json.RawMessage
		if d.Decode(&value) != nil {
			break
		}
		*field, _ = textOf(value, maxMessageSource)
	}
	return code, message
}

// valueOf returns a value, or nil if it is of another type, null, or out of range.
func valueOf[T any](source json.RawMessage) *T {
	var value *T
	if json.Unmarshal(source, &value) != nil {
		return nil
	}
	return value
}

// textOf returns a string, and whether its source has at most limit bytes.
func textOf(source json.RawMessage, limit int) (text string, ok bool) {
	s := valueOf[string](source)
	if s == nil || len(source)-len(`""`) > limit {
		return "", false
	}
	return *s, true
}

func timeOf(source json.RawMessage) time.Time {
	text, _ := textOf(source, maxFieldSource)
	var t time.Time
	if t.UnmarshalText([]byte(text)) != nil || !t.After(time.Unix(0, 0).Add(time.Second-1)) {
		return time.Time{}
	}
	return t
}

func (want *expectation) expectToken(source json.RawMessage, sent string) {
	if valueOf[string](source) == nil {
		return
	}
	token, whole := textOf(source, maxTokenSource)
	valid := !strings.ContainsFunc(token, func(c rune) bool { return c < '!' || c > '~' })
	want.rotated = whole && token != "" && token != sent
	want.invalidToken = !whole || !valid
	if want.rotated && valid {
		want.token = token
	}
}

func (want *expectation) expectMessages(source json.RawMessage) {
	messages := valueOf[[]json.RawMessage](source)
	if messages == nil {
		return
	}
	want.details.ServiceMessages = new(len(*messages))
	for _, m := range (*messages)[:min(len(*messages), 20)] {
		text := valueOf[string](m)
		if text == nil {
			continue
		}
		want.textsKnown = want.textsKnown && len(m) <= maxMessageSource
		shown := shownAs(*text)
		if shown != "" && !slices.Contains(want.details.MessageTexts, shown) {
			want.details.MessageTexts = append(want.details.MessageTexts, shown)
		}
	}
}

// shownAs returns a message as users see it.
func shownAs(text string) string {
	characters := []rune(text)
	for i, c := range characters {
		if !unicode.IsPrint(c) && c != unicode.ReplacementChar {
			characters[i] = ' '
		}
	}
	characters = []rune(strings.TrimSpace(string(characters)))
	characters = characters[:min(len(characters), 200)]
	for len(string(characters)) > 400 {
		characters = characters[:len(characters)-1]
	}
	return strings.TrimSpace(string(characters))
}

// checkTexts checks that the texts of messages can be shown anywhere.
func checkTexts(t *testing.T, texts []string) {
	t.Helper()
	if len(texts) > 20 {
		t.Errorf("kept %d texts", len(texts))
	}
	for _, m := range texts {
		if checkText(t, m, 200); len(m) > 400 {
			t.Errorf("a text of %d bytes", len(m))
		}
	}
}

// checkText checks that a text is valid UTF-8, without control characters, and bounded.
func checkText(t *testing.T, text string, longest int) {
	t.Helper()
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || utf8.RuneCountInString(text) > longest {
		t.Errorf("a text that cannot be shown: %.300q", text)
	}
}
