package keyfunc_test

import (
	"strings"
	"testing"

	"github.com/reprise-go/reprise/keyfunc"
)

func TestManyPairs(t *testing.T) {
	pairs := func(n int) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = string([]byte{'a' + byte(i%26), 'a' + byte(i/26)})
		}
		return out
	}
	reversed := func(in []string) []string {
		out := make([]string, len(in))
		for i, s := range in {
			out[len(in)-1-i] = s
		}
		return out
	}
	for n, same := range map[int]bool{2: true, 16: true, 17: true, 256: true, 257: false} {
		a := keyOf(t, keyfunc.Default, request(t, "h", "/?"+strings.Join(pairs(n), "&")))
		b := keyOf(t, keyfunc.Default, request(t, "h", "/?"+strings.Join(reversed(pairs(n)), "&")))
		if (a == b) != same {
			t.Errorf("%d pairs in two orders: one key %v, want %v", n, a == b, same)
		}
	}
}

// Repeated names keep their order, however many there are.
func TestManyRepeats(t *testing.T) {
	var query strings.Builder
	for i := range 40 {
		query.WriteString(string([]byte{'&', 'b' - byte(i%2), '=', '0' + byte(i/10), '0' + byte(i%10)}))
	}
	key := keyOf(t, keyfunc.Default, request(t, "h", "/?"+query.String()))
	values := map[string]string{}
	for pair := range strings.SplitSeq(strings.TrimPrefix(key, "GET|http|h|/|&"), "&") {
		name, value, _ := strings.Cut(pair, "=")
		if value <= values[name] {
			t.Fatalf("%s=%s comes after %s: %s", name, value, values[name], key)
		}
		values[name] = value
	}
	if len(values) != 2 {
		t.Errorf("got %s", key)
	}
}
