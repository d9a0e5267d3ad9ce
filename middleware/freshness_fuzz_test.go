package middleware_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// What a response of FuzzServed says, a bit each.
const (
	saysMaxAge = 1 << iota
	saysSMaxAge
	saysStale
	saysError
	saysAge
	saysMustRevalidate
	saysProxyRevalidate
	saysExpires
)

// A served is one response, and a policy: all in seconds.
type served struct {
	says                          uint8
	maxAge, sMaxAge, stale, error uint16
	age, expires                  uint16
	ttl, pStale, pError           uint16
}

func (s *served) is(bit uint8) bool { return s.says&bit != 0 }

func (s *served) header(now time.Time) http.Header {
	h := http.Header{}
	var cc []string
	for _, d := range []struct {
		bit  uint8
		text string
	}{
		{saysMaxAge, fmt.Sprint("max-age=", s.maxAge)}, {saysSMaxAge, fmt.Sprint("s-maxage=", s.sMaxAge)}, {saysStale, fmt.Sprint("stale-while-revalidate=", s.stale)},
		{saysError, fmt.Sprint("stale-if-error=", s.error)}, {saysMustRevalidate, "must-revalidate"}, {saysProxyRevalidate, "proxy-revalidate"},
	} {
		if s.is(d.bit) {
			cc = append(cc, d.text)
		}
	}
	if cc != nil {
		h.Set("Cache-Control", strings.Join(cc, ", "))
	}
	if s.is(saysAge) {
		h.Set("Age", strconv.Itoa(int(s.age)))
	}
	if s.is(saysExpires) {
		h.Set("Expires", now.Add(time.Duration(s.expires)*time.Second).UTC().Format(http.TimeFormat))
	}
	return h
}

// windows are those of RFC 9111 §4.2.1, RFC 5861 and Policy.
func (s *served) windows() (fresh, stale, fallback int) {
	fresh = int(s.ttl)
	switch {
	case s.is(saysSMaxAge):
		fresh = int(s.sMaxAge)
	case s.is(saysMaxAge):
		fresh = int(s.maxAge)
	case s.is(saysExpires):
		fresh = int(s.expires)
	}
	if fresh > 0 && !s.is(saysSMaxAge) {
		stale, fallback = int(s.pStale), int(s.pError)
	}
	if s.is(saysStale) {
		stale = int(s.stale)
	}
	if s.is(saysError) {
		fallback = int(s.error)
	}
	if s.is(saysMustRevalidate) || s.is(saysProxyRevalidate) {
		stale, fallback = 0, 0
	}
	return fresh, stale, fallback
}

// at is the slow reference: it lives the response's life second by second, up to
// age, and says what it then is.
func (s *served) at(age int) string {
	fresh, stale, fallback := s.windows()
	for range age {
		switch {
		case fresh > 0:
			fresh--
		default:
			stale, fallback = stale-1, fallback-1
		}
	}
	switch {
	case fresh > 0:
		return "fresh"
	case stale > 0:
		return "stale"
	case fallback > 0:
		return "fallback"
	}
	return "gone"
}

// FuzzServed: a response is served for as long as the reference says, to the
// second, and never again; in the stale window it is refreshed behind the answer,
// and past that it stands in for an error.
func FuzzServed(f *testing.F) {
	f.Add(uint8(saysMaxAge), uint16(60), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(59), false)
	f.Add(uint8(saysMaxAge), uint16(60), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(60), false)
	f.Add(uint8(saysMaxAge|saysAge), uint16(60), uint16(0), uint16(0), uint16(0), uint16(30), uint16(0), uint16(0), uint16(0), uint16(0), uint16(29), false)
	f.Add(uint8(saysMaxAge|saysAge), uint16(60), uint16(0), uint16(0), uint16(0), uint16(30), uint16(0), uint16(0), uint16(0), uint16(0), uint16(30), false)
	f.Add(uint8(saysMaxAge|saysSMaxAge|saysStale|saysError), uint16(5), uint16(60), uint16(10), uint16(20), uint16(0), uint16(0), uint16(7), uint16(90), uint16(90), uint16(69), true)
	f.Add(uint8(saysMaxAge|saysSMaxAge|saysStale|saysError), uint16(5), uint16(60), uint16(10), uint16(20), uint16(0), uint16(0), uint16(7), uint16(90), uint16(90), uint16(70), true)
	f.Add(uint8(saysMaxAge|saysSMaxAge|saysStale|saysError), uint16(5), uint16(60), uint16(10), uint16(20), uint16(0), uint16(0), uint16(7), uint16(90), uint16(90), uint16(80), true)
	f.Add(uint8(saysExpires), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(30), uint16(7), uint16(5), uint16(9), uint16(34), false)
	f.Add(uint8(saysExpires), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(30), uint16(7), uint16(5), uint16(9), uint16(38), true)
	f.Add(uint8(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(7), uint16(5), uint16(9), uint16(7), true)
	f.Add(uint8(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(5), uint16(9), uint16(1), true)
	f.Add(uint8(saysMaxAge|saysMustRevalidate), uint16(7), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(5), uint16(9), uint16(8), true)
	f.Add(uint8(saysMaxAge|saysProxyRevalidate|saysError), uint16(7), uint16(0), uint16(0), uint16(5), uint16(0), uint16(0), uint16(0), uint16(5), uint16(9), uint16(8), true)
	f.Add(uint8(saysSMaxAge), uint16(0), uint16(60), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(90), uint16(90), uint16(65), true)
	for later := range uint16(12) {
		f.Add(uint8(saysMaxAge|saysStale|saysError|saysAge), uint16(60), uint16(0), uint16(10), uint16(20), uint16(5), uint16(0), uint16(7), uint16(90), uint16(90), 1001+later, later%2 == 0)
		f.Add(uint8(saysMaxAge), uint16(60), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(7), uint16(9), uint16(30), 1001+later, true)
	}
	f.Fuzz(func(t *testing.T, says uint8, maxAge, sMaxAge, stale, errors, age, expires, ttl, pStale, pError, later uint16, fails bool) {
		s := &served{says, maxAge, sMaxAge, stale, errors, age, expires, ttl, pStale, pError}
		wait := int(later)
		if later > 1000 { // around the end of a window
			ends := [4]int{}
			ends[1], ends[2], ends[3] = s.windows()
			wait = max(ends[1]+ends[later%4]+int(later/4%3)-1, 0)
			if s.is(saysAge) {
				wait = max(wait-int(age), 0)
			}
		}
		second := func(n uint16) time.Duration { return time.Duration(n) * time.Second }
		p := reprise.Policy{Name: "fuzz", TTL: second(ttl), Jitter: -1, StaleWhileRevalidate: second(pStale), StaleIfError: second(pError)}
		synctest.Test(t, func(t *testing.T) { s.live(t, p, wait, fails) })
	})
}

// live asks for s, then again after some seconds, when the handler may fail.
func (s *served) live(t *testing.T, p reprise.Policy, wait int, fails bool) {
	runs := 0
	site := newSite(t, p, func(w http.ResponseWriter, _ *http.Request) {
		if runs++; runs > 1 && fails {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		for name, lines := range s.header(time.Now()) {
			w.Header()[name] = lines
		}
		fmt.Fprint(w, runs)
	})
	born := 0
	if s.is(saysAge) {
		born = int(s.age)
	}
	site.get("/")
	time.Sleep(time.Duration(wait) * time.Second)
	a := site.get("/")
	synctest.Wait() // for the refresh behind it

	want, text, xCache := s.at(born+wait), "2", "MISS"
	if s.at(born) == "gone" {
		want = "gone" // it was not stored
	}
	switch {
	case want == "fresh":
		text, xCache = "1", "HIT"
	case want == "stale", want == "fallback" && fails:
		text, xCache = "1", "STALE"
	case fails:
		text = ""
	}
	if a.text != text || a.Header.Get("X-Cache") != xCache || (runs == 1) != (want == "fresh") {
		t.Errorf("%+v, born %d s old, %d s later: %q, %s, after %d runs; want %s (%q)",
			*s, born, wait, a.text, a.Header["Cache-Status"], runs, want, text)
	}
	if text == "1" && a.Header.Get("Age") != strconv.Itoa(born+wait) {
		t.Errorf("%+v: Age %q, want %d", *s, a.Header["Age"], born+wait)
	}
}
