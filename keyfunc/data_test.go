package keyfunc_test

import (
	"encoding"
	"errors"
	"math"
	"net/url"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/keyfunc"
)

var _ encoding.TextAppender = keyfunc.Builder{}

func TestKey(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, tt := range []struct {
		key  keyfunc.Builder
		want string
	}{
		{keyfunc.Key("product", "42").Field("details").Query("currency", "USD").Query("locale", "en"), "product:42:details:currency=USD&locale=en"},
		{keyfunc.Key("product", "42").Field("details").Query("locale", "en").Query("currency", "USD"), "product:42:details:currency=USD&locale=en"},
		{keyfunc.Key("product", "42", "details"), "product:42:details"},
		{keyfunc.Key("product").Int(42).Field("details"), "product:42:details"},
		{keyfunc.Key("t").Int(math.MinInt64).Int(-1).Uint(math.MaxUint64), "t:-9223372036854775808:-1:18446744073709551615"},
		{keyfunc.Key("products").Query("page", "2"), "products:page=2"},
		{keyfunc.Key("products").Field("page=2"), "products:page%x3D2"},
		{keyfunc.Key("products").Query("a", "2").Query("a", "1").Query("", ""), "products:=&a=1&a=2"},
		{keyfunc.Key("products").Query("a", "1").Query("a", "1"), "products:a=1&a=1"},
		{keyfunc.Key("products").Query("a&b=c", "d:e"), "products:a%x26b%x3Dc=d%x3Ae"},
		{keyfunc.Key("products").Values(url.Values{"b": {"2", "1"}, "a": {""}, "none": nil}), "products:a=&b=1&b=2"},
		{keyfunc.Key("products").Map(map[string]string{"b": "2", "a": "1"}), "products:a=1&b=2"},
		{keyfunc.Key("products").Query("d", "").Query("c", "").Query("b", "").Query("a", "").Query("f", "").Query("e", ""), "products:a=&b=&c=&d=&e=&f="},
		{keyfunc.Key("product", "a:b", "c|d", "*", "{e}", "50%", "50%25", "é"), "product:a%x3Ab:c%x7Cd:%x2A:%x7Be%x7D:50%x25:50%25:%xC3%xA9"},
		{keyfunc.Key("product", ""), "product:"},
		{keyfunc.Key("product", "", ""), "product::"},
		{keyfunc.Key(""), "<>"},
		{keyfunc.Builder{}, "<>"},
		{keyfunc.Builder{}.Field("a"), "<>:a"},
		{keyfunc.Key("", "a"), "<>:a"},
		{keyfunc.Key("<>"), "%x3C%x3E"},
		{keyfunc.Key("").Query("a", "b"), "<>:a=b"},
		{keyfunc.Key("p", long).Int(7).Field("f").Query("a", "b"), "p:" + long + ":7:f:a=b"},
	} {
		if got := tt.key.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
		if got, err := tt.key.AppendText([]byte("before ")); err != nil || string(got) != "before "+tt.want {
			t.Errorf("appended: got %s, %v", got, err)
		}
	}
}

// Keys that begin with one Builder do not write over each other.
func TestKeyBranches(t *testing.T) {
	for _, pad := range []string{"", strings.Repeat("x", 90), strings.Repeat("x", 120)} {
		stem := keyfunc.Key("p", pad)
		for _, name := range []string{"g", "f", "e", "d", "c", "b", "a"} {
			stem = stem.Query(name, "")
		}
		one := stem.Field("one").Query("z", "1")
		two := stem.Field("two").Query("z", "2")
		const pairs = "a=&b=&c=&d=&e=&f=&g="
		for got, want := range map[string]string{
			one.String():  "p:" + pad + ":one:" + pairs + "&z=1",
			two.String():  "p:" + pad + ":two:" + pairs + "&z=2",
			stem.String(): "p:" + pad + ":" + pairs,
		} {
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}

func TestKeyLong(t *testing.T) {
	key := func(n int) string { return keyfunc.Key("p", strings.Repeat("x", n-2)).String() }
	if whole := key(512); len(whole) != 512 || strings.Contains(whole, "sha256") {
		t.Errorf("512 bytes: %s", whole)
	}
	hashed := key(513)
	if len(hashed) != 512 || !strings.HasPrefix(hashed, "p:xxx") || !strings.Contains(hashed, ":sha256<") || hashed == key(514) {
		t.Errorf("513 bytes: %s", hashed)
	}
	shown, digest, _ := strings.Cut(strings.TrimPrefix(hashed, "p:"), ":")
	if forged := keyfunc.Key("p", shown, digest).String(); forged == hashed {
		t.Errorf("key can be forged: %s", forged)
	}
}

// A store can hold both kinds of keys.
func TestKeyIsNoRequest(t *testing.T) {
	long := strings.Repeat("x", 600)
	for _, key := range []string{keyfunc.Key("GET|http|h|/").String(), keyfunc.Key(long).String()} {
		if strings.Contains(key, "|") {
			t.Errorf("key of data with a bar: %s", key)
		}
	}
	for _, uri := range []string{"/", "/" + long} {
		if key := keyOf(t, keyfunc.Default, request(t, "", uri)); !strings.HasPrefix(key, "GET|") {
			t.Errorf("key of a request without a bar: %s", key)
		}
	}
}

func TestPattern(t *testing.T) {
	all := [][]string{
		{"product"}, {"product", ""}, {"product", "4"}, {"product", "42"}, {"product", "421"}, {"product", "42", "details"}, {"product", "42", ""},
		{"product", "*"}, {"product", "*", "x"}, {"product", "4?", "x"}, {"product", "[4]", "2"}, {"product", `4\2`, "x"}, {"product", "42:details"},
		{"products", "42"}, {""}, {"", "a"}, {"*"}, {"product", strings.Repeat("é", 300)}, {"product", "42", strings.Repeat("a:", 300)},
	}
	for _, of := range all {
		for _, other := range all {
			checkPattern(t, of, other, keyfunc.Key(other[0], other[1:]...).String(), false)
			checkPattern(t, of, other, keyfunc.Key(other[0], other[1:]...).Query("a", "b").String(), true)
		}
	}
	if got, err := keyfunc.Pattern("product", "42"); err != nil || got != "product:42:*" {
		t.Errorf("got %s, %v", got, err)
	}
	if got, err := keyfunc.Key("product").Int(42).Pattern(); err != nil || got != "product:42:*" {
		t.Errorf("of a Builder: got %s, %v", got, err)
	}
}

func TestPatternErrors(t *testing.T) {
	if got, err := keyfunc.Key("p").Query("a", "b").Pattern(); !errors.Is(err, keyfunc.ErrNoPattern) || got != "" {
		t.Errorf("with pairs: %q, %v", got, err)
	}
	id := strings.Repeat("x", 454) // with "p:" 456 bytes
	if _, err := keyfunc.Pattern("p", id+"x"); !errors.Is(err, keyfunc.ErrNoPattern) {
		t.Errorf("457 bytes: %v", err)
	}
	pattern, err := keyfunc.Pattern("p", id)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"a", "é", "aé", "aaé", "aaaé"} { // cut at each byte there is
		below := keyfunc.Key("p", id, field, strings.Repeat("y", 100)).String()
		if !strings.Contains(below, ":sha256<") || !glob(pattern, below) {
			t.Errorf("%s does not match %s", pattern, below)
		}
		if beside := keyfunc.Key("p", id+field, strings.Repeat("y", 100)).String(); glob(pattern, beside) {
			t.Errorf("%s matches %s", pattern, beside)
		}
	}
}
