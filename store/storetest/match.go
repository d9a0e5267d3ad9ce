package storetest

import (
	"slices"

	"github.com/reprise-go/reprise/store"
)

func matchChecks() []check {
	return []check{
		{name: "a pattern drops what it matches and nothing else", run: matchExactly},
	}
}

func matchExactly(r *room) {
	keys := []string{
		"", "a", "b", "ab", "abc", "a*c", "a?c", "a[bc]", "a]c", "{a}", `a\c`, "a^c", "aé", "a\nc", "GET https://example.com/a?b=1",
		"GET https://example.com/ab", "GET https://example.org/a?b=1",
	}
	for _, p := range []struct {
		pattern string
		want    []string
	}{
		{"none", nil},
		{"a", []string{"a"}},
		{"A", nil},
		{"?", []string{"a", "b"}},
		{"[a-b]", []string{"a", "b"}},
		{"[^a]", []string{"b"}},
		{"a?c", []string{"abc", "a*c", "a?c", "a]c", `a\c`, "a^c", "a\nc"}},
		{"a[bx]c", []string{"abc"}},
		{"a[^b]c", []string{"a*c", "a?c", "a]c", `a\c`, "a^c", "a\nc"}},
		{`a\*c`, []string{"a*c"}},
		{`a\?c`, []string{"a?c"}},
		{`a\[bc]`, []string{"a[bc]"}},
		{`a\\c`, []string{`a\c`}},
		{"{a}", []string{"{a}"}},
		{"{*}", []string{"{a}"}},
		{"*é", []string{"aé"}},
		{`GET https://example.com/a\?*`, []string{"GET https://example.com/a?b=1"}},
		{"GET https://example.com/*", []string{"GET https://example.com/a?b=1", "GET https://example.com/ab"}},
		{"*", keys},
	} {
		for _, key := range keys {
			if r.get(r.a, key) == nil {
				r.fill(r.a, key, base("body"), variant("de", "hallo"))
			}
		}
		for _, dry := range []bool{true, false} {
			if done := r.purge(r.a, store.Purge{Match: p.pattern, DryRun: dry}); done.Count != len(p.want) {
				r.Errorf("pattern %q counts %d, want %d (dry run: %v)", p.pattern, done.Count, len(p.want), dry)
			}
		}
		for _, key := range keys {
			it := r.get(r.a, key)
			if drops := slices.Contains(p.want, key); drops != (it == nil) {
				r.Errorf("pattern %q: %q dropped: %v, want %v", p.pattern, key, it == nil, drops)
			}
		}
	}
}
