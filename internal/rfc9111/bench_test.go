package rfc9111

import (
	"net/http"
	"testing"
)

// What a browser sends: a reload, and a page's resource.
var browser = http.Header{
	"Accept":          {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"},
	"Accept-Encoding": {"gzip, deflate, br, zstd"},
	"Accept-Language": {"en-GB,en;q=0.9,de-DE;q=0.8,de;q=0.7,fr;q=0.6"},
	"Cache-Control":   {"max-age=0"},
	"User-Agent":      {"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"},
}

var plainRequest = http.Header{"Accept": {"*/*"}}

var hot = []struct {
	name string
	run  func()
}{
	{"RequestControl/absent", func() { sinkControl = RequestControl(plainRequest) }},
	{"RequestControl/max-age", func() { sinkControl = RequestControl(browser) }},
	{"ParseControl/typical", func() { sinkControl = ParseControl(typical) }},
	{"AppendSelecting/Accept-Encoding", func() { sinkBytes = AppendSelecting(sinkBytes[:0], browser, varyEncoding) }},
	{"AppendSelecting/Accept-Language", func() { sinkBytes = AppendSelecting(sinkBytes[:0], browser, varyLanguage) }},
	{"AppendSelecting/three", func() { sinkBytes = AppendSelecting(sinkBytes[:0], browser, varyThree) }},
	{"AppendCodings", func() { sinkBytes = AppendCodings(sinkBytes[:0], browser["Accept-Encoding"], ourCodings) }},
	{"OneRange", func() { _, sinkBool = OneRange(oneRange) }},
	{"Targeted/absent", func() { sinkControl, sinkBool = Targeted(browser, targetNames) }},
	{"MayServeStale", func() { sinkBool = MayServeStale(sinkControl) }},
}

var (
	typical      = []string{"public, max-age=60, s-maxage=600", "stale-while-revalidate=30, stale-if-error=86400"}
	varyEncoding = []string{"Accept-Encoding"}
	varyLanguage = []string{"Accept-Language"}
	oneRange     = []string{"bytes=0-1023"}
	targetNames  = []string{"Cdn-Cache-Control"}
	varyThree    = []string{"Accept", "Accept-Encoding", "Accept-Language"}

	sinkControl Control
	sinkBytes   = make([]byte, 0, 1024)
	sinkBool    bool
)

func BenchmarkHot(b *testing.B) {
	for _, h := range hot {
		b.Run(h.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.run()
			}
		})
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	for _, h := range hot {
		if n := testing.AllocsPerRun(100, h.run); n != 0 {
			t.Errorf("%s: %v allocations, want 0", h.name, n)
		}
	}
}
