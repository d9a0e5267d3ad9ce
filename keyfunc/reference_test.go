package keyfunc_test

import (
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strings"
)

// reference tells slowly, with net/url alone, what tells requests apart: two
// requests have one key if and only if they have one reference.
func reference(r *http.Request) string {
	received, query, hasQuery := strings.Cut(r.RequestURI, "?")
	query = referenceQuery(query)
	honest, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		panic(err)
	}
	path, seen := "as received", "as received"
	if honest.Path != r.URL.Path || honest.RawPath != r.URL.RawPath {
		path = fmt.Sprintf("%q %q", r.URL.Path, r.URL.RawPath)
	}
	if honest.RawQuery != r.URL.RawQuery {
		seen = fmt.Sprintf("%q", referenceQuery(r.URL.RawQuery))
	}
	return fmt.Sprintf("%t %q %q %t %q (%s) (%s) %q", r.TLS != nil, r.Host, received, hasQuery, query, path, seen, r.Header["X-Forwarded-Host"])
}

func referenceQuery(q string) string {
	pairs := strings.Split(q, "&")
	if _, err := url.QueryUnescape(q); err != nil || strings.Contains(q, ";") || len(pairs) > 256 {
		return q
	}
	name := func(i int) string {
		before, _, _ := strings.Cut(pairs[i], "=")
		decoded, err := url.QueryUnescape(before)
		if err != nil {
			panic(err)
		}
		return decoded
	}
	sort.Stable(byName{pairs, name})
	return strings.Join(pairs, "&")
}

type byName struct {
	pairs []string
	name  func(int) string
}

func (s byName) Len() int           { return len(s.pairs) }
func (s byName) Less(i, j int) bool { return s.name(i) < s.name(j) }
func (s byName) Swap(i, j int)      { s.pairs[i], s.pairs[j] = s.pairs[j], s.pairs[i] }
