package middleware_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/internal/measure"
	reprise "github.com/reprise-go/reprise/middleware"
)

// missAllocs is what a miss may allocate: of the handler and its header map six; the
// copies of the request's header and of its own four; the key one; the exchange and the
// flight two; what is stored, and the store's own, seven.
const missAllocs = 20

func TestAMissAllocatesLittle(t *testing.T) {
	body := bytes.Repeat([]byte("x"), 1<<10)
	h := newCache(t).Handler(reprise.Policy{Name: "miss"})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		measure.Answer(w, body, "1024")
	}))
	w, r := measure.NewWriter(), httptest.NewRequest("GET", "/", nil)
	r.Header.Set("User-Agent", "test")
	urls := make([]string, 201)
	for i := range urls {
		urls[i] = fmt.Sprint("/", i)
	}
	next := 0
	n := testing.AllocsPerRun(200, func() {
		w.Reset()
		r.RequestURI, r.URL.Path = urls[next], urls[next]
		next++
		h.ServeHTTP(w, r)
		if h := w.Header(); h["X-Cache"][0] != "MISS" || !strings.HasSuffix(h["Cache-Status"][0], "; stored") {
			t.Fatal(h)
		}
	})
	if n > missAllocs+spare {
		t.Errorf("%v allocations, want %d", n, missAllocs)
	}
}
