package hmp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hmp_exporter/internal/secret"
)

func decodeString(body string) error {
	_, err := decode(strings.NewReader(body), 1<<40, "sent", true)
	return err
}

// If any byte of a body is lost, doubled or replaced, the decoder accepts the body if
// encoding/json does.
func TestGrammarIsThatOfJSON(t *testing.T) {
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
	if err := decodeString(body); (err == nil) != (want == nil) {
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

// bodies returns the bodies with which fuzzing begins, among them the vendor's example.
func bodies(f *testing.F) (list [][]byte) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		list = append(list, body)
	}
	seeds, err := os.ReadFile("testdata/bodies.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(seeds)) {
		if line = strings.TrimSuffix(line, "\n"); !strings.HasPrefix(line, "# ") {
			list = append(list, []byte(line))
		}
	}
	for _, data := range []string{
		`"serviceMessages":["` + strings.Repeat("m", 199) + ` end"]`, `"serviceMessages":["` + strings.Repeat("\U0001F600", 201) + `"]`,
		`"serviceMessages":["",` + strings.Repeat(`"message",`, 30) + `""]`, `"serviceMessages":["` + strings.Repeat(`\u0416`, 400) + `"]`,
		`"numLoginFailures":` + strings.Repeat("1", maxNumberSource), `"numLoginFailures":1` + strings.Repeat("1", maxNumberSource),
		`"authToken":"` + strings.Repeat("a", maxTokenSource) + `"`, `"authToken":"a` + strings.Repeat("a", maxTokenSource) + `"`,
		`"lastAction":"` + strings.Repeat("0", maxFieldSource+1) + `"`, strings.Repeat(`"admin":true,`, maxKnownFields-2) + `"admin":false`,
		`"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000),
	} {
		list = append(list, []byte(`{"data":{`+data+`}}`))
	}
	for _, field := range sessionFields {
		for _, value := range []string{"null", "true", "0", "-1", "1e400", `""`, `"text"`, `"\ud800"`, "\"\xff\"", "[]", `[1,"a",null,{}]`, "{}", `{"a":[{}]}`} {
			list = append(list, []byte(`{"data":{"admin":true,"`+field.name+`":`+value+`,"roleIds":["a"]}}`))
		}
	}
	return list
}

// The decoder reads from a body what encoding/json reads, see expect.
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
			if want.size = int64(len(body)); !want.accepted {
				want.size = min(got.size, want.size)
			}
			slices.Sort(got.invalid)
			if diff := cmp.Diff(want.payload, *got, cmp.AllowUnexported(payload{}), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(payload{}, "secrets")); diff != "" {
				t.Errorf("%s (-encoding/json +decode):\n%s", how, diff)
			}
		}
	})
}

// The memory of the decoder does not depend on the size of a body, wherever its bulk is.
func FuzzDecodeMemory(f *testing.F) {
	for _, body := range []struct{ head, fill, tail string }{
		{`"assets":{"":0`, `,"4b7f":{"read":true}`, `}`}, {`"":0`, `,"k":1`, ``}, {`"serviceMessages":["`, `\u00e9 `, `"]`},
		{`"serviceMessages":[""`, `,"number many"`, `]`}, {`"numLoginFailures":1`, `0`, ``}, {`"authToken":"`, `0123`, `"`},
		{`"`, `0123`, `":1`}, {`"admin":`, ` `, `true`}, {`"a":`, `[`, `]`}, {`"a":`, `{"":`, `}`}, {`"":0`, `,"\u0041":{}`, ``}, {`"":0`, `,"roleIds":[1,2]`, ``},
		{``, `"serviceMessages":["\u00e9","a"],`, `"admin":true`}, {`"roleIds":[0`, `,{"a":1}`, `]`}, {`"serviceMessages":[0`, `,[0]`, `]`},
		{`"":0`, `,"lastAction":"x"`, ``}, {`"":0`, `,"numLoginFailures":1`, ``}, {`"":0`, `,"authToken":"\u0041"`, ``}, {`"":0`, `,"admin":1`, ``},
		{`"":0`, `,"sessionId":"` + strings.Repeat("a", maxTokenSource) + `"`, ``},
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
		before := memory()
		_, _ = decode(body, 2*size, "sent", true)
		if end.memory.HeapAlloc == 0 {
			return // it did not read to the end
		}
		if held := int64(end.memory.HeapAlloc - before.HeapAlloc); held > size*3/8 {
			t.Errorf("holds %d bytes at the end of a body of %d: %.100s%.100s…", held, size, head, fill)
		}
		if allocated := end.memory.TotalAlloc - before.TotalAlloc; allocated > size {
			t.Errorf("allocated %d bytes for a body of %d: %.100s%.100s…", allocated, size, head, fill)
		}
	})
}

// around returns a body with about size bytes of fill between head and tail in its data.
func around(head, fill, tail string, size int) io.Reader {
	block := strings.Repeat(fill, 1+(32<<10)/len(fill))
	readers := []io.Reader{strings.NewReader(`{"data":{` + head)}
	for range size / len(block) {
		readers = append(readers, strings.NewReader(block))
	}
	return io.MultiReader(append(readers, strings.NewReader(tail+`}}`))...)
}

// An ending is the end of a body. It records the memory when it is read.
type ending struct{ memory runtime.MemStats }

func (e *ending) Read([]byte) (int, error) {
	e.memory = memory()
	return 0, io.EOF
}

// memory returns how much memory is in use, without garbage.
func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

// checkToken checks that a token is valid in a header, or "".
func checkToken(t *testing.T, token string) {
	t.Helper()
	if len(token) > 8<<10 || strings.ContainsFunc(token, func(c rune) bool { return c < '!' || c > '~' }) {
		t.Errorf("a token of %d bytes that is not valid in a header: %.100q", len(token), token)
	}
}
