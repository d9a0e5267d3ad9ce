package attacks

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const wholeBody = "0123456789abcdefghijklmnopqrstuvwxyz"

// content answers conditions and ranges by itself.
func content(said ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		say(w, said)
		w.Header().Set("Content-Type", "text/plain")
		http.ServeContent(w, r, "", time.Unix(1e9, 0), strings.NewReader(wholeBody))
	}
}

func partAttacks() (all []attack) {
	ranges := []string{"bytes=0-3", "bytes=0-0", "bytes=-5", "bytes=30-", "bytes=999-", "bytes=0-35", "bytes=0-99", "bytes=5-1", "bytes=a-b", "bytes=0-3\r\nRange: bytes=4-5"}
	for name, said := range map[string][]string{
		"":                  nil,
		", with an ETag":    {`Etag: "1"`},
		", public":          {"Cache-Control: public, max-age=60"},
		", public and ETag": {"Cache-Control: public, max-age=60", `Etag: "1"`},
	} {
		rs := []request{get("/file")}
		for _, r := range ranges {
			rs = append(rs, get("/file", "Range: "+r))
		}
		rs = append(rs, get("/file"), unchecked(get("/file", "Range: lines=1-2")), get("/file", "Range: bytes=0-3", `If-Range: "1"`), get("/file", "Range: bytes=0-3", `If-Range: "2"`))
		all = append(all, attack{name: "Range on a cold key" + name, policy: minute, handler: content(said...), requests: rs[1:]})
	}
	slices.SortFunc(all, byName)
	half := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		if r.Header.Get("X-Part") != "" {
			w.WriteHeader(http.StatusPartialContent) // of what, nobody knows
			fmt.Fprint(w, wholeBody[:4])
			return
		}
		fmt.Fprint(w, wholeBody)
	}
	return append(all,
		attack{name: "ten thousand ranges", policy: minute, handler: large, flow: manyRanges},
		attack{name: "parts of two versions", policy: minute, handler: edited, flow: mixed},
		attack{name: "a 206 nobody asked for", policy: minute, handler: half, requests: []request{unchecked(get("/file", "X-Part: 1")), get("/file"), unchecked(get("/file", "X-Part: 1", "Range: bytes=0-3"))}},
		attack{name: "HEAD first", policy: minute, handler: content("Cache-Control: public, max-age=60"), requests: []request{ask("HEAD", "/file", ""), get("/file"), unchecked(ask("HEAD", "/file", "", "Range: bytes=0-3"))}},
		attack{name: "HEAD first, and another handler for it", policy: minute, requests: []request{unchecked(ask("HEAD", "/file", "")), get("/file")}, handler: func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.Header().Set("Content-Length", "0")
				return
			}
			fmt.Fprint(w, wholeBody)
		}},
	)
}

var largeBody = strings.Repeat("0123456789abcdef", 24<<10/16)

// large answers whole, however it is asked.
func large(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, largeBody) }

// greedy are Range fields that ask for a page in small pieces.
var greedy = []string{
	pieces(10000, func(i int) string { return fmt.Sprintf("%d-%d", 2*i, 2*i) }),
	pieces(10000, func(int) string { return "0-0" }),
	pieces(10000, func(int) string { return "0-" }),
	pieces(17, func(i int) string { return fmt.Sprintf("%d-%d", 100*i, 100*i+50) }),
	pieces(16, func(i int) string { return fmt.Sprintf("%d-%d", 100*i, 100*i+50) }),
}

func pieces(n int, piece func(i int) string) string {
	set := make([]string, n)
	for i := range set {
		set[i] = piece(i)
	}
	return "Range: bytes=" + strings.Join(set, ",")
}

// manyRanges gets the whole, or not much more.
func manyRanges(t *testing.T, s *site, _ int) {
	for i, many := range greedy {
		target := fmt.Sprint("/", i)
		for range 2 { // on a cold key, and on a stored page
			got := s.ask(t, get(target, many))
			parts := strings.Count(got.body, "Content-Range:")
			if got.status == http.StatusOK && got.body != largeBody || len(got.body) > 2*len(largeBody) || parts > 16 {
				t.Errorf("%.60s: %d parts, %d bytes: %d", many, parts, len(got.body), got.status)
			}
		}
		if got := s.ask(t, get(target)); got.body != largeBody || got.xCache() != "HIT" {
			t.Errorf("the whole is %v", got)
		}
	}
}

// edited is a file that becomes another, and a handler that does not care for
// If-Range.
func edited(w http.ResponseWriter, r *http.Request) {
	letter := "a"
	if flag(siteOf(r), r.URL.Path).Load() {
		letter = "b"
	}
	w.Header().Set("Cache-Control", "public, max-age=60")
	w.Header().Set("ETag", `"`+letter+`"`)
	r.Header.Del("If-Range")
	http.ServeContent(w, r, "x.txt", time.Time{}, strings.NewReader(strings.Repeat(letter, 100)))
}

// mixed gets a part of one version stored. Nobody gets it together with the rest
// of the next.
func mixed(t *testing.T, s *site, id int) {
	target := fmt.Sprint("/", id)
	for range 2 {
		s.ask(t, get(target, "Range: bytes=0-49"))
	}
	flag(s, target).Store(true)
	for _, field := range []string{"Range: bytes=40-79", "X-Other: 1", "Range: bytes=0-99", "X-Other: 1"} {
		if got := s.ask(t, get(target, field)); strings.Contains(got.body, "a") && strings.Contains(got.body, "b") || got.status == http.StatusOK && len(got.body) != 100 {
			t.Errorf("%s: %v", field, got)
		}
	}
}
