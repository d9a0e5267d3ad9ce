package redisstore

import (
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
