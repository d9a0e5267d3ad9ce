package memstore_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// FuzzPurge: a purge drops the entries that carry one of its tags, that match
// its pattern and that it names, and no others; a soft one makes them stale, and
// a dry run counts them. Glob is held to a slow reference by a target of its own.
func FuzzPurge(f *testing.F) {
	f.Add("a x y\nb y\nc", "", "x", "", uint8(0))
	f.Add("a x y\nb y\nc", "", "y", "c", uint8(1))
	f.Add("user:1 x\nuser:2\nuse", "user:*", "", "", uint8(0))
	f.Add("user:1 x\nuser:2\nuse", "user:?", "", "use\nnone", uint8(2))
	f.Add("[a] a\na [a]\n* *\n\\ \\", "[a]", "*", "", uint8(0))
	f.Add("a  a\n b", "*", "", "", uint8(1))
	f.Add("a x\na y", "", "x", "", uint8(0))
	f.Fuzz(func(t *testing.T, entries, pattern, tags, keys string, how uint8) {
		s := newStore(t, memstore.Options{Bytes: 1 << 20})
		carried := map[string][]string{}
		for _, line := range strings.Split(entries, "\n") {
			words := strings.Split(line, " ")
			if len(carried) < 20 && carried[words[0]] == nil && len(line) < 1000 {
				carried[words[0]] = words[1:]
				fill(t, s, words[0], store.Entry{Tags: words[1:], Life: time.Minute})
			}
		}
		p := store.Purge{Match: pattern[:min(len(pattern), 30)], Tags: strings.Split(tags, "\n"), Keys: strings.Split(keys, "\n"), Soft: how&1 != 0, DryRun: how&2 != 0}
		if tags == "" {
			p.Tags = nil
		}
		done, err := s.Purge(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for key, of := range carried {
			named := p.Match != "" && store.Glob(p.Match, key) || slices.Contains(p.Keys, key)
			if named {
				count++
			}
			hit := named || slices.ContainsFunc(of, func(tag string) bool { return slices.Contains(p.Tags, tag) })
			it, err := s.Get(t.Context(), key)
			there, fresh := err == nil, err == nil && !it.Soft()
			if want := !hit || p.DryRun; fresh != want || there != (want || p.Soft) {
				t.Errorf("%q, which carries %q, after %+v: there %v, fresh %v", key, of, p, there, fresh)
			}
		}
		if len(p.Tags) > 0 {
			count = -1
		}
		if done.Count != count {
			t.Errorf("%+v counted %d of %d", p, done.Count, count)
		}
	})
}
