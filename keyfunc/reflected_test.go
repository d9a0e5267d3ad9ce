package keyfunc

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// What fieldSet.append takes for granted.
func TestReflectedNames(t *testing.T) {
	if len(reflectedNames) > 32 || !slices.IsSorted(reflectedNames) || len(reflectedSets) != len(reflectedNames) {
		t.Errorf("%d names, %d different, sorted: %v", len(reflectedNames), len(reflectedSets), slices.IsSorted(reflectedNames))
	}
	for _, name := range reflectedNames {
		if http.CanonicalHeaderKey(name) != name || name[0] != 'X' && name[0] != 'F' && name[0] != 'H' {
			t.Errorf("%s is not canonical, or not looked at", name)
		}
	}
}

// isUsual against net/url, so that no honest request shows its path twice.
func FuzzParsed(f *testing.F) {
	for _, s := range []string{"/", "/a%20b", "/a%2fb", "/é", "/%c3%a9", "/%C3%A9", "/!*'()", "/[a]", "//a//", "/%zz", "/a?b#c", "/\"<>`^|", "http://h/a%2fb", "http://h"} {
		f.Add(s)
	}
	for c := range 256 {
		f.Add("/a" + string([]byte{byte(c)}) + "b")
	}
	f.Fuzz(func(t *testing.T, uri string) {
		u, err := url.ParseRequestURI(uri)
		if err != nil || uri[0] != '/' && u.Host == "" {
			return
		}
		r := &http.Request{URL: u, RequestURI: uri}
		if path := localPath(targetOf(r).path); !parsed(path, u) {
			t.Errorf("%q: path %q, URL has Path %q and RawPath %q", uri, path, u.Path, u.RawPath)
		}
	})
}
