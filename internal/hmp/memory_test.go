package hmp

import (
	"io"
	"runtime"
	"strings"
	"testing"
)

// What is allocated does not depend on the size of the body, wherever its bulk is.
func TestDecodeMemory(t *testing.T) {
	const size = 4 << 20
	for name, body := range map[string]func() io.Reader{
		"maps":                func() io.Reader { return around(`"assets":{"":0`, `,"4b7f":{"read":true,"list":[1,2]}`, `}`, size) },
		"members of the data": func() io.Reader { return around(`"":0`, `,"k4b7f":1`, ``, size) },
		"one message":         func() io.Reader { return around(`"serviceMessages":["`, `a long message \u00e9 `, `"]`, size) },
		"a million messages":  func() io.Reader { return around(`"serviceMessages":[""`, `,"message number many"`, `]`, size) },
		"one number":          func() io.Reader { return around(`"numLoginFailures":1`, `0000000000000000`, ``, size) },
		"one token":           func() io.Reader { return around(`"authToken":"`, `0123456789abcdef`, `"`, size) },
		"one name":            func() io.Reader { return around(`"`, `0123456789abcdef`, `":1`, size) },
		"members with lists":  func() io.Reader { return around(`"":0`, `,"k":[0]`, ``, size) },
		"roles in objects":    func() io.Reader { return around(`"roleIds":[0`, `,{"a":1}`, `]`, size) },
		"messages in lists":   func() io.Reader { return around(`"serviceMessages":[0`, `,[0]`, `]`, size) },
		"repeated times":      func() io.Reader { return around(`"":0`, `,"lastAction":"x"`, ``, size) },
		"repeated messages":   func() io.Reader { return around(`"":0`, `,"serviceMessages":["a\u0041"]`, ``, size) },
		"repeated numbers":    func() io.Reader { return around(`"":0`, `,"numLoginFailures":1`, ``, size) },
		"repeated tokens":     func() io.Reader { return around(`"":0`, `,"authToken":"\u0041"`, ``, size) },
		"names in escapes":    func() io.Reader { return around(`"":0`, `,"\u0041":1`, ``, size) },
		"spaces":              func() io.Reader { return around(`"admin":`, `                `, `true`, size) },
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			r := body()
			runtime.ReadMemStats(&before)
			p, err := decode(r, size+1<<20, "sent", true)
			runtime.ReadMemStats(&after)
			if err != nil || !p.hasData {
				t.Fatalf("hasData %t, error %v", p.hasData, err)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
				t.Errorf("allocated %d bytes for a body of %d", grown, size)
			}
		})
	}
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
