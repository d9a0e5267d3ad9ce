package keyfunc

import (
	"strconv"
	"strings"
	"testing"
)

// unescape undoes appendEscaped.
func unescape(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "%x")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		c, err := strconv.ParseUint(after[:2], 16, 8)
		if err != nil {
			panic(err)
		}
		b.WriteByte(byte(c))
		s = after[2:]
	}
}

func TestEscape(t *testing.T) {
	for _, tt := range []struct{ in, request, data string }{
		{"", "", ""},
		{"/products/42", "/products/42", "/products/42"},
		{"a=1&b:2", "a=1&b:2", "a%x3D1%x26b%x3A2"},
		{"/caf%C3%A9/a%2fb", "/caf%C3%A9/a%2fb", "/caf%C3%A9/a%2fb"},
		{"%", "%x25", "%x25"},
		{"%4", "%x254", "%x254"},
		{"%zz", "%x25zz", "%x25zz"},
		{"%4z", "%x254z", "%x254z"},
		{"%x7C", "%x25x7C", "%x25x7C"},
		{"%%41", "%x25%41", "%x25%41"},
		{"|<>", "%x7C%x3C%x3E", "%x7C%x3C%x3E"},
		{`*?[a-z]\^`, "%x2A%x3F%x5Ba-z%x5D%x5C%x5E", "%x2A%x3F%x5Ba-z%x5D%x5C%x5E"},
		{"{slot}", "%x7Bslot%x7D", "%x7Bslot%x7D"},
		{"a b\x00\r\n\x7f", "a%x20b%x00%x0D%x0A%x7F", "a%x20b%x00%x0D%x0A%x7F"},
		{"é\xff", "%xC3%xA9%xFF", "%xC3%xA9%xFF"},
	} {
		if got := string(appendEscaped(nil, tt.in, inRequest)); got != tt.request {
			t.Errorf("%q in a request = %q, want %q", tt.in, got, tt.request)
		}
		if got := string(appendEscaped(nil, tt.in, inData)); got != tt.data {
			t.Errorf("%q in data = %q, want %q", tt.in, got, tt.data)
		}
	}
}

func TestEscapeEveryByte(t *testing.T) {
	for c := range 256 {
		in := string([]byte{byte(c)})
		got := string(appendEscaped(nil, in, inRequest))
		separates := strings.Contains(`|<>*?[]\^{}%`, in) || c <= ' ' || c >= 0x7f
		if (got != in) != separates || unescape(got) != in {
			t.Errorf("byte %#x is written %q", c, got)
		}
		data := string(appendEscaped(nil, in, inData))
		if separates = separates || c == ':' || c == '&' || c == '='; (data != in) != separates || unescape(data) != in {
			t.Errorf("byte %#x in data is written %q", c, data)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "/a%2fb", "%x41", "%%41", "a|b<c>", "\xff\x00é", "%25x41", "%x25x41", "%4", "{*}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, at := range []place{inRequest, inData} {
			got := string(appendEscaped([]byte("before"), s, at))
			got, ok := strings.CutPrefix(got, "before")
			if !ok {
				t.Fatalf("%q: what dst held is gone", s)
			}
			if back := unescape(got); back != s {
				t.Errorf("%q is written %q, which reads %q", s, got, back)
			}
			if i := strings.IndexFunc(got, func(c rune) bool {
				return c <= ' ' || c >= 0x7f || strings.ContainsRune(`|<>*?[]\^{}`, c) || at == inData && strings.ContainsRune(":&=", c)
			}); i >= 0 {
				t.Errorf("%q is written %q, with a special byte at %d", s, got, i)
			}
		}
	})
}
