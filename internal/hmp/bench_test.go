package hmp

import (
	"bytes"
	"io"
	"net/http/httptest"
	"testing"

	"hmp_exporter/internal/hmpsim"
)

// The bodies fit into a processor's cache, so the speed of memory does not count.
func BenchmarkDecode(b *testing.B) {
	const size = 512 << 10
	message, err := io.ReadAll(around(`"serviceMessages":["`, `a long message `, `"]`, size))
	if err != nil {
		b.Fatal(err)
	}
	permissions := bodyOf(hmpsim.Large(hmpsim.ExampleSession(), size))
	for _, bench := range []struct {
		name string
		body []byte
	}{
		{"example", bodyOf(hmpsim.Valid(hmpsim.ExampleSession()))},
		{"permissions", permissions},
		{"message", message},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(bench.body)))
			b.ReportAllocs()
			for b.Loop() {
				p, err := decode(bytes.NewReader(bench.body), 2*size, "sent", true)
				if err != nil || *p.details.ServiceMessages != 1 {
					b.Fatalf("%+v, error %v", p.details, err)
				}
			}
		})
	}
}

// bodyOf returns the body of an answer to the token "sent".
func bodyOf(b hmpsim.Behaviour) []byte {
	w := httptest.NewRecorder()
	b(w, nil, hmpsim.Call{Token: "sent"})
	return w.Body.Bytes()
}
