package hmp

import (
	"io"
	"testing"
)

func BenchmarkDecode(b *testing.B) {
	const size = 8 << 20
	for _, bench := range []struct{ name, head, fill, tail string }{
		{"permissions", `"assets":{"":0`, `,"2167935c-5633-4aad-a814-2279bc928944":{"read":true,"write":false,"level":12}`, `}`},
		{"message", `"serviceMessages":["`, `a long message `, `"]`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decode(around(bench.head, bench.fill, bench.tail, size), 2*size, "sent", true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("floor: discard", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			if _, err := io.Copy(io.Discard, struct{ io.Reader }{around(`"":0`, `,"a":0`, ``, size)}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
