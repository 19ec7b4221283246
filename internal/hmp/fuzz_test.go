package hmp

import (
	"bytes"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hmp_exporter/internal/secret"
)

// bodies are where fuzzing begins: answers as HMP writes them, and some that it
// does not.
func bodies(f *testing.F) [][]byte {
	session, err := os.ReadFile("testdata/session.json")
	if err != nil {
		f.Fatal(err)
	}
	list := [][]byte{session}
	for _, body := range []string{
		``, `null`, `[]`, `{}`, `{"data":null}`, `{"data":{}}`, `{"data":{},"data":null}`, `{"data":01}`, `{"data":{}} `, `{"data":{`, `{"data":{"a":[[[{"b":null}]]]}}`,
		`{"code":"020001","name":"UserNotAuthorized","message":"User has no roles assigned","httpStatusCode":401}`,
		`{"code":"090002","message":"No connection to authentication server"}`, `{"code":"070051"}`, `{"code":"040022"}`, `{"code":20001,"message":null}`, `{"code":"02 001"}`, `{"code":"0200010"}`,
		`{"code":"020002","data":{"authToken":"a"}}`, `{"code":"010001","data":7}`,
		`{"data":{"authToken":"\u0061b","authToken":"\u00fc"}}`, `{"data":{"authToken":"sent"}}`, `{"data":{"authToken":"a\r\nb"}}`, `{"data":{"authToken":""}}`,
		`{"data":{"serviceMessages":["\ud83d\ude00",1,"a\u0000","a "]},"code":"020001"}`, "{\"data\":{\"serviceMessages\":[\"\xff\",\"\\ud800\"]}}",
		`{"data":{"admin":false,"roleIds":[[],{"a":1}],"numLoginFailures":1.5e3,"lastAction":"2025-03-21T19:20:01.099Z","lastLoginDate":"1969-12-31T23:59:59Z"}}`,
		`{"data":{"admin":0,"roleIds":null,"numLoginFailures":-0,"lastAction":"","serviceMessages":{}}}`, `{"data":{"numLoginFailures":1e999}}`,
		`{"data":{"admin":true,"serviceMessages":["a"]},"data":{"serviceMessages":["b"],"serviceMessages":["c"]}}`, `{"data":{"serviceMessages":["b"],"serviceMessages":null}}`,
		`{"d\u0061ta":{"\u0061uthToken":"x","serviceMessages\u0000":[1]}}`,
	} {
		list = append(list, []byte(body))
	}
	return list
}

// What the decoder makes of a body is what encoding/json makes of it.
func FuzzDecode(f *testing.F) {
	for _, body := range bodies(f) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		want, deep := expect(body, "sent")
		if deep {
			return // both have a limit, and not the same
		}
		for how, r := range map[string]io.Reader{
			"at once":      bytes.NewReader(body),
			"byte by byte": iotest.OneByteReader(bytes.NewReader(body)),
		} {
			got, err := decode(r, int64(len(body)), "sent", true)
			if (err == nil) != want.accepted {
				t.Fatalf("%s: accepted: %t (%v), encoding/json: %t", how, err == nil, err, want.accepted)
			}
			checkToken(t, got.token)
			checkTexts(t, got.details.MessageTexts)
			masked := func(text string) bool { return strings.Contains(text, secret.Masked) }
			if !want.textsKnown || slices.ContainsFunc(got.details.MessageTexts, masked) {
				got.details.MessageTexts = want.details.MessageTexts
			}
			if want.body.Size = int64(len(body)); !want.accepted {
				want.body.Size = min(got.body.Size, want.body.Size)
			}
			if diff := cmp.Diff(want.payload, *got, cmp.AllowUnexported(payload{}), cmpopts.IgnoreFields(payload{}, "secrets")); diff != "" {
				t.Errorf("%s (-encoding/json +decode):\n%s", how, diff)
			}
		}
	})
}

// What the decoder holds at the end of a body does not depend on its size, wherever
// it goes on and on.
func FuzzDecodeMemory(f *testing.F) {
	for _, body := range []struct{ head, fill, tail string }{
		{`"assets":{"":0`, `,"4b7f":{"read":true}`, `}`}, {`"":0`, `,"k":1`, ``}, {`"serviceMessages":["`, `\u00e9 `, `"]`},
		{`"serviceMessages":[""`, `,"number many"`, `]`}, {`"numLoginFailures":1`, `0`, ``}, {`"authToken":"`, `0123`, `"`},
		{`"`, `0123`, `":1`}, {`"admin":`, ` `, `true`}, {`"a":`, `[`, `]`}, {`"a":`, `{"":`, `}`}, {``, `"\u0041":{},`, ``}, {``, `"roleIds":[1,2],`, ``},
		{``, `"serviceMessages":["\u00e9","a"],`, `"admin":true`},
	} {
		f.Add(body.head, body.fill, body.tail)
	}
	f.Fuzz(func(t *testing.T, head, fill, tail string) {
		const size = 1 << 20
		if fill == "" || len(head)+len(fill)+len(tail) > 64<<10 {
			return
		}
		end := new(ending)
		body := io.MultiReader(around(head, fill, tail, size), end)
		before := held()
		_, _ = decode(body, 2*size, "sent", true)
		if grown := end.held - before; end.held > 0 && grown > size*3/8 {
			t.Errorf("holds %d bytes at the end of a body of %d: %.100s%.100s…", grown, size, head, fill)
		}
	})
}

// An ending is the end of a body, and notes what is held when it is read.
type ending struct{ held int64 }

func (e *ending) Read([]byte) (int, error) {
	e.held = held()
	return 0, io.EOF
}

// held is how much memory is in use that is not garbage.
func held() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// checkToken checks that a token is fit for a header, or none.
func checkToken(t *testing.T, token string) {
	t.Helper()
	unfit := func(c rune) bool { return c < '!' || c > '~' }
	if len(token) > 8<<10 || strings.ContainsFunc(token, unfit) {
		t.Errorf("a token of %d bytes that is not fit for a header: %.100q", len(token), token)
	}
}
