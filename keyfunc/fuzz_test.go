package keyfunc_test

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/keyfunc"
)

// build makes a request of a fuzzer's strings. rewrite, if it is not empty, is
// path, RawPath and query as a router sees them, separated by line feeds.
func build(secure bool, host, uri, rewrite, forwarded string) *http.Request {
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		return nil
	}
	r := &http.Request{Method: "GET", Host: host, RequestURI: uri, URL: u, Header: http.Header{}}
	if secure {
		r.TLS = &tls.ConnectionState{}
	}
	if rewrite != "" {
		seen := strings.SplitN(rewrite+"\n\n", "\n", 3)
		u.Path, u.RawPath, u.RawQuery = seen[0], seen[1], strings.TrimSuffix(seen[2], "\n\n")
	}
	if forwarded != "" {
		r.Header["X-Forwarded-Host"] = strings.Split(forwarded, "\n")
	}
	return r
}

// shuffled puts the pairs of uri's query in another order.
func shuffled(uri string, seed uint64) string {
	path, query, found := strings.Cut(uri, "?")
	if !found {
		return uri
	}
	pairs := strings.Split(query, "&")
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	return path + "?" + strings.Join(pairs, "&")
}

func FuzzDefaultInjective(f *testing.F) {
	f.Add(false, "h", "/a?x=1&y=2", "", "", true, "h", "/a?y=2&x=1", "", "", uint64(1))
	f.Add(false, "h", "/a?x=1;y=2", "", "", false, "h", "/a?x=1&y=2", "", "", uint64(2))
	f.Add(false, "h", "/a%2fb", "/a/b", "", false, "h", "/a%2fb", "/a/b\n/a%2fb", "", uint64(3))
	f.Add(false, "h", "/a|b", "", "", false, "h|/a", "/b", "", "", uint64(4))
	f.Add(false, "h", "/a", "", "x", false, "h", "/a?|X-Forwarded-Host<x>", "", "", uint64(5))
	f.Add(false, "h", "/?a&%61&a", "/x\n\nb&a", "", false, "h", "/?%61&a&a", "", "a\nb", uint64(6))
	f.Add(false, "[::1]", "http://h/%zz", "", "", false, "{h}", "http://h/?%zz&a", "", "", uint64(7))
	f.Add(false, "h", "/"+strings.Repeat("%41", 200)+"?b&a", "", "", false, "h", "/"+strings.Repeat("%41", 200)+"?a&c", "", "", uint64(8))
	f.Fuzz(func(t *testing.T, tls1 bool, host1, uri1, rewrite1, fwd1 string, tls2 bool, host2, uri2, rewrite2, fwd2 string, seed uint64) {
		one, two := build(tls1, host1, uri1, rewrite1, fwd1), build(tls2, host2, uri2, rewrite2, fwd2)
		if one == nil {
			return
		}
		compare(t, one, build(tls1, host1, shuffled(uri1, seed), rewrite1, fwd1))
		compare(t, one, build(tls1, host1, uri1, rewrite2, fwd2))
		compare(t, one, two)
	})
}

func compare(t *testing.T, one, two *http.Request) {
	t.Helper()
	if two == nil {
		return
	}
	a, b := keyOf(t, keyfunc.Default, one), keyOf(t, keyfunc.Default, two)
	if x, y := reference(one), reference(two); (a == b) != (x == y) {
		t.Errorf("keys\n%s\n%s\nof\n%s\n%s", a, b, x, y)
	}
	if i := strings.IndexAny(a, "*?[]{}\\^ \r\n\x00\x7f"); i >= 0 || len(a) > 512 {
		t.Errorf("%d bytes, special byte at %d: %s", len(a), i, a)
	}
}

// dataKey reads a key from a line for each component and then, after an empty
// line, two for each pair.
func dataKey(s string) (parts []string, pairs [][2]string) {
	path, query, _ := strings.Cut(s, "\n\n")
	parts = strings.Split(path, "\n")
	lines := strings.Split(query, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		pairs = append(pairs, [2]string{lines[i], lines[i+1]})
	}
	return parts, pairs
}

func buildData(parts []string, pairs [][2]string) keyfunc.Builder {
	b := keyfunc.Key(parts[0], parts[1:]...)
	for _, p := range pairs {
		b = b.Query(p[0], p[1])
	}
	return b
}

func FuzzDataInjective(f *testing.F) {
	f.Add("product\n42\ndetails\n\ncurrency\nUSD\nlocale\nen", "product\n42\ndetails\n\nlocale\nen\ncurrency\nUSD", uint64(1))
	f.Add("a:b", "a\nb", uint64(2))
	f.Add("a\nb=c", "a\n\nb\nc", uint64(3))
	f.Add("", "<>", uint64(4))
	f.Add("p\n*", "p\n%x2A", uint64(5))
	f.Add("p\n\n\n\n\n\na\nb\nb\na\nb\nb\na\na\nc\nc\nd\nd", "p\n\na\nb&a=b", uint64(6))
	f.Add("p\n"+strings.Repeat("é", 200), "p\n"+strings.Repeat("é", 201), uint64(7))
	f.Fuzz(func(t *testing.T, one, two string, seed uint64) {
		parts, pairs := dataKey(one)
		b := buildData(parts, pairs)
		key := b.String()
		mixed := slices.Clone(pairs)
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if again := buildData(parts, mixed).String(); again != key {
			t.Errorf("the order of pairs counts: %s, %s", key, again)
		}
		otherParts, otherPairs := dataKey(two)
		other := buildData(otherParts, otherPairs).String()
		if same := canonicalData(parts, pairs) == canonicalData(otherParts, otherPairs); (key == other) != same {
			t.Errorf("%q and %q: one key %v: %s, %s", one, two, key == other, key, other)
		}
		if key == "" || len(key) > 512 || strings.ContainsAny(key, "|*?[]{}\\^ \r\n\x00\x7f") {
			t.Errorf("%q: key %q", one, key)
		}
		checkPattern(t, parts, otherParts, other, len(otherPairs) > 0)
	})
}

func canonicalData(parts []string, pairs [][2]string) string {
	sorted := slices.Clone(pairs)
	slices.SortFunc(sorted, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	return fmt.Sprintf("%q %q", parts, sorted)
}

// checkPattern tells whether the pattern of parts matches key, made of others,
// exactly if others begins with parts and goes on.
func checkPattern(t *testing.T, parts, others []string, key string, hasPairs bool) {
	t.Helper()
	pattern, err := keyfunc.Pattern(parts[0], parts[1:]...)
	if err != nil {
		return
	}
	goesOn := len(others) > len(parts) || len(others) == len(parts) && hasPairs
	below := goesOn && slices.Equal(others[:len(parts)], parts)
	if got := glob(pattern, key); got != below {
		t.Errorf("%s matches %s: %v, want %v", pattern, key, got, below)
	}
}
