package redisstore

import (
	"slices"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/store"
)

func TestSlotOf(t *testing.T) {
	for tag, want := range map[string]int{"123456789": 0x31C3 % 16384, "foo": 12182, "bar": 5061} { // CLUSTER KEYSLOT
		if got := slotOf(tag); got != want {
			t.Errorf("slot of %q: %d, want %d", tag, got, want)
		}
	}
}

func TestLogsLieOnTheirKeysNodes(t *testing.T) {
	k := newKeyspace("ns")
	for i, name := range k.logs {
		tag := strings.TrimSuffix(strings.TrimPrefix(name, "ns:p1:{"), "}")
		if got := slotOf(tag) / slotsPerLog; got != i || k.logOf[name] != i {
			t.Errorf("log %d, %s, lies at %d and is known as %d", i, name, got, k.logOf[name])
		}
	}
	if len(k.logOf) != numLogs {
		t.Errorf("%d logs", len(k.logOf))
	}
}

func FuzzKeys(f *testing.F) {
	for _, s := range []string{"", "k", "{", "}", "%", "%25", "a{b}c:v:d", "}:c", ":hb"} {
		f.Add(s, "", "k", "v")
		f.Add(s, s, "{k}", "")
	}
	k := newKeyspace("ns")
	f.Fuzz(func(t *testing.T, key1, variant1, key2, variant2 string) {
		s1, s2 := store.Slot{Key: key1, Variant: variant1}, store.Slot{Key: key2, Variant: variant2}
		n1, n2 := k.slot(s1), k.slot(s2)
		if (s1 == s2) != (n1 == n2) {
			t.Errorf("%q is %q, %q is %q", s1, n1, s2, n2)
		}
		if got, ok := k.parse(n1); !ok || got != s1 {
			t.Errorf("%q comes back as %q, %v", s1, got, ok)
		}
		for _, name := range []string{n1, k.control(key1)} {
			tag, _, ok := k.split(name)
			if !ok || tag == "" || strings.ContainsAny(tag, "{}") || tag != escape(key1) {
				t.Errorf("%q has the hash tag %q", name, tag)
			}
			if _, ok := k.logOf[name]; ok {
				t.Errorf("%q is a log's name", name)
			}
		}
		if name := k.control(key1); name == n1 || name == n2 {
			t.Errorf("%q names a value and a control", name)
		}
	})
}

// FuzzName: a name that Redis sends is read within the bound, and only if it is
// the one we would give what it names.
func FuzzName(f *testing.F) {
	for _, s := range []string{"", "ns", "ns:{", "ns:{}", "ns:{a}", "ns:{%}", "ns:{a}:v:x", "ns:{a}:v:", "ns:{a}:c", "ns:{%25%7B%7D}:v:{}", "ns:{%2}", "ns:{%7b}", "ns:{a{b}", "ns:p1:{0}"} {
		f.Add(s)
	}
	f.Add("ns:{" + strings.Repeat("%", 3000) + "}")
	k := newKeyspace("ns")
	f.Fuzz(func(t *testing.T, name string) {
		var slot store.Slot
		var ok bool
		bounded(t, len(name), func() { slot, ok = k.parse(name) })
		if ok && k.slot(slot) != name {
			t.Errorf("%q names %q, whose name is %q", name, slot, k.slot(slot))
		}
	})
}

// FuzzMatch: of what Redis holds in a namespace, a pattern finds the keys that it
// matches, and SCAN's pattern lets all of them through. Glob is held to a slow
// reference by a target of its own.
func FuzzMatch(f *testing.F) {
	f.Add("ns", "a", "v", "*")
	f.Add("n*s", "user:1", "", "user:?")
	f.Add("[n]", "{a}", "{b}", "{*}")
	f.Add(`n\`, "%", "x", "%*")
	f.Add("", "", "}:c", "")
	f.Fuzz(func(t *testing.T, namespace, key, variant, pattern string) {
		if strings.ContainsAny(namespace, "{}") || strings.HasSuffix(namespace, logMark) || len(pattern) > 30 {
			return
		}
		s := &Store{keys: newKeyspace(namespace)}
		names := append([]string{
			s.keys.base(key), s.keys.control(key), s.keys.slot(store.Slot{Key: key, Variant: "v" + variant}), s.keys.count(key), s.keys.beat("x"), key, namespace + key,
		}, s.keys.logs[:]...)
		var want []string
		if store.Glob(pattern, key) {
			want = []string{key}
		}
		for ending, name := range map[string]string{"": names[0], controlMark: names[1]} {
			others := 0
			for _, foreign := range names[5:7] { // they may be a name of ours by their looks
				if tag, rest, ok := s.keys.split(foreign); ok && rest == ending && tag != "" {
					others++
				}
			}
			if got := s.matching(names, pattern, ending); others == 0 && !slices.Equal(got, want) {
				t.Errorf("%q finds %q among %q, want %q", pattern, got, names[:5], want)
			}
			if all := globQuote.Replace(s.keys.prefix) + "*}" + ending; !store.Glob(all, name) {
				t.Errorf("SCAN for %q does not find %q", all, name)
			}
		}
	})
}
