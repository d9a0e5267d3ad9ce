package rfc9111

import "testing"

var codingCases = []struct {
	name  string
	lines []string
	want  string // of zstd, br, gzip
}{
	{"absent", nil, ""},
	{"empty", []string{""}, ""},
	{"one", []string{"gzip"}, "gzip"},
	{"in our order", []string{"gzip, deflate, br"}, "br, gzip"},
	{"all lines", []string{"gzip", "zstd"}, "zstd, gzip"},
	{"letter case", []string{"GZip, BR"}, "br, gzip"},
	{"none of ours", []string{"deflate, compress"}, ""},
	{"star", []string{"*"}, "zstd, br, gzip"},
	{"star but one", []string{"*, br;q=0"}, "zstd, gzip"},
	{"weights", []string{"gzip;q=0.001, br;q=1.000, zstd;q=0.5"}, "zstd, br, gzip"},
	{"weight without decimals", []string{"gzip;q=1., br;q=0."}, "gzip"},
	{"q=0", []string{"gzip;q=0, br"}, "br"},
	{"q=0.000", []string{"gzip;q=0.000, br"}, "br"},
	{"Q in capitals", []string{"gzip;Q=0, br;Q=1"}, "br"},
	{"space about the semicolon", []string{"gzip ;\tq=0 , br ; q=1"}, "br"},
	{"q=0 wins", []string{"gzip;q=0, gzip", "gzip;q=1"}, ""},
	{"x-gzip", []string{"x-gzip"}, "gzip"},
	{"X-GZIP refused", []string{"X-GZIP;q=0, *"}, "zstd, br"},
	{"x-br is another", []string{"x-br"}, ""},
	{"weight above 1", []string{"gzip;q=1.001, br;q=2"}, ""},
	{"weight with too many decimals", []string{"gzip;q=0.0001"}, ""},
	{"weight empty", []string{"gzip;q=, br;q"}, ""},
	{"weight spaced", []string{"gzip;q = 1, br; q= 1"}, ""},
	{"weight signed", []string{"gzip;q=-1, br;q=+1"}, ""},
	{"another parameter", []string{"gzip;level=9, br;q=1;a=b"}, ""},
	{"malformed is named", []string{"gzip;q=x, *"}, "zstd, br"},
	{"malformed beats good", []string{"gzip, gzip x"}, ""},
	{"quoted", []string{`"gzip", br"`}, ""},
	{"malformed star", []string{"*;q=x, br"}, "br"},
	{"star refused", []string{"br, *;q=0"}, "br, identity;q=0"},
	{"star refused, identity named", []string{"br, *;q=0, identity;q=0.1"}, "br"},
	{"star refused, identity malformed", []string{"br, *;q=0, identity;q=x"}, "br"},
	{"star malformed refuses nothing", []string{"*;q=0x"}, ""},
	{"identity refused", []string{"identity;q=0, gzip"}, "gzip, identity;q=0"},
	{"identity refused, star accepted", []string{"identity;q=0, *"}, "zstd, br, gzip, identity;q=0"},
	{"all refused", []string{"*;q=0"}, "identity;q=0"},
	{"identity alone", []string{"identity"}, ""},
}

var ourCodings = []string{"zstd", "br", "gzip"}

func TestB_AppendCodings(t *testing.T) {
	for _, c := range codingCases {
		t.Run(c.name, func(t *testing.T) {
			if got := string(AppendCodings([]byte("k|"), c.lines, ourCodings)); got != "k|"+c.want {
				t.Errorf("AppendCodings(%q) = %q, want %q", c.lines, got, "k|"+c.want)
			}
		})
	}
}

func TestB_AppendCodingsOfOthers(t *testing.T) {
	for _, c := range []struct {
		name, line string
		produced   []string
		want       string
	}{
		{"none", "*", nil, ""},
		{"none, identity refused", "*;q=0", nil, "identity;q=0"},
		{"compress", "x-compress", []string{"compress"}, "compress"},
		{"an x- name of ours", "gzip", []string{"x-gzip"}, "x-gzip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(AppendCodings(nil, []string{c.line}, c.produced)); got != c.want {
				t.Errorf("AppendCodings(%q) = %q, want %q", c.line, got, c.want)
			}
		})
	}
}
