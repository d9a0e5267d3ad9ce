package keyfunc_test

import (
	"strings"
	"testing"

	"github.com/reprise-go/reprise/keyfunc"
)

func TestLongKeys(t *testing.T) {
	fill := func(n int) string { return "/" + strings.Repeat("a", n-len("GET|http|h|/")) }
	whole := keyOf(t, keyfunc.Default, request(t, "h", fill(512)))
	if len(whole) != 512 || strings.Contains(whole, "sha256") {
		t.Errorf("512 bytes: %s", whole)
	}
	seen := map[string]bool{whole: true}
	for _, uri := range []string{fill(513), fill(514), fill(5000), fill(512) + "?", fill(512) + "b", fill(513) + "?a=1", fill(513) + "?a=2"} {
		key := keyOf(t, keyfunc.Default, request(t, "h", uri))
		if len(key) != 512 || !strings.HasPrefix(key, "GET|http|h|/aaaa") || strings.Count(key, "|sha256<") != 1 || !strings.HasSuffix(key, ">") {
			t.Errorf("%d bytes of target: %s", len(uri), key)
		}
		if seen[key] {
			t.Errorf("%d bytes of target: a key twice", len(uri))
		}
		seen[key] = true
		// Who sends a hashed key as a target does not get its entry.
		if forged := keyOf(t, keyfunc.Default, request(t, "h", strings.TrimPrefix(key, "GET|http|h|"))); forged == key {
			t.Errorf("key can be forged: %s", key)
		}
	}
	if a, b := request(t, "h", fill(600)+"?a&b"), request(t, "h", fill(600)+"?b&a"); keyOf(t, keyfunc.Default, a) != keyOf(t, keyfunc.Default, b) {
		t.Error("the hash is not over the sorted query")
	}
}

func TestLongKeysEndAfterAnEscape(t *testing.T) {
	for shift := range 8 {
		key := keyOf(t, keyfunc.Default, request(t, "h", "/"+strings.Repeat("a", 425+shift)+strings.Repeat("é", 40)))
		shown, _, _ := strings.Cut(key, "|sha256<")
		if tail := shown[strings.LastIndexByte(shown, '%'):]; len(tail) != 4 || len(key) > 512 {
			t.Errorf("shift %d: cut through an escape: %s", shift, key)
		}
	}
}
