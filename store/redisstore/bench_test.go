package redisstore

import "testing"

func BenchmarkLocalHit(b *testing.B) {
	s, _ := pair(b)
	fill(b, s, "GET /products/1", "body", "tag1", "tag2")
	warm(b, s, "GET /products/1")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Get(ctx, "GET /products/1"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	r := sample("", "tag1", "tag2")
	r.Body = make([]byte, 4<<10)
	raw := r.encode()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}
