package hmp

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// The decoder accepts what encoding/json accepts, apart from the depth that both limit.
func FuzzDecode(f *testing.F) {
	session, err := os.ReadFile("testdata/session.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(session)
	for _, seed := range []string{
		`{"data":{}}`, `{"data":{"serviceMessages":["\ud83d\ude00",1]},"code":"020001"}`, `{"data":{"numLoginFailures":1.5e3}}`, `{"data":{"authToken":"\u0061b","authToken":"\u00fc"}}`,
		`{"code":"020001","message":"User has no roles assigned"}`, `{"data":{"a":[[[{"b":null}]]]}}`, "{\"data\":{\"serviceMessages\":[\"\xff\"]}}", `{"data":01}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := decode(iotest.HalfReader(bytes.NewReader(body)), noLimit, "sent", true)
		trimmed := bytes.TrimLeft(body, " \t\r\n")
		want := json.Valid(body) && bytes.HasPrefix(trimmed, []byte("{"))
		if got := err == nil; got != want && !bytes.Contains(body, bytes.Repeat([]byte("["), 5000)) {
			t.Fatalf("accepted: %t (%v), encoding/json: %t", got, err, want)
		}
		if len(p.token) > maxTokenSource || !visible([]byte(p.token)) {
			t.Errorf("kept a token that is not fit for a header: %q", p.token)
		}
		for _, m := range p.details.MessageTexts {
			if !utf8.ValidString(m) || utf8.RuneCountInString(m) > MaxMessageLength {
				t.Errorf("kept a text that is not presentable: %q", m)
			}
		}
	})
}
