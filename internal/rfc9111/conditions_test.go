package rfc9111

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const modifiedThen = "Mon, 02 Jan 2006 15:04:05 GMT"

var conditionCases = []struct {
	inm, ims string // "\n" between lines
	etag     string
	want     bool
}{
	{`"v1"`, "", `"v1"`, true},
	{`W/"v1"`, "", `"v1"`, true},
	{`"v1"`, "", `W/"v1"`, true},
	{`"v0", "v1"`, "", `"v1"`, true},
	{"\"v0\"\n\"v1\"", "", `"v1"`, true},
	{`,, "v1",`, "", `"v1"`, true},
	{`*`, "", `"v1"`, true},
	{`*`, "", "", true},
	{`"v2"`, modifiedThen, `"v1"`, false}, // §13.2.2: If-None-Match alone counts
	{`v1`, "", `"v1"`, false},
	{`w/"v1"`, "", `"v1"`, false},
	{`"v0" v, "v1"`, "", `"v1"`, false},
	{`"v1`, "", `"v1"`, false},
	{`"v1"`, "", "v1", false},
	{`"a,b"`, "", `"a,b"`, true},
	{"", modifiedThen, "", true},
	{"", "Tue, 03 Jan 2006 15:04:05 GMT", "", true},
	{"", "Sun, 01 Jan 2006 15:04:05 GMT", "", false},
	{"", "mon, 02 jan 2006 15:04:05 gmt", "", true},
	{"", "Mon Jan  2 15:04:05 2006", "", true},
	{"", "then", "", false},
	{"", "", `"v1"`, false},
}

func request(inm, ims string) http.Header {
	h := http.Header{}
	if inm != "" {
		h["If-None-Match"] = strings.Split(inm, "\n")
	}
	if ims != "" {
		h["If-Modified-Since"] = strings.Split(ims, "\n")
	}
	return h
}

func TestA15_NotModified(t *testing.T) {
	for _, c := range conditionCases {
		h := http.Header{"Last-Modified": {modifiedThen}}
		if c.etag != "" {
			h["Etag"] = []string{c.etag}
		}
		if got := NotModified(request(c.inm, c.ims), h["Etag"], h["Last-Modified"], time.Now()); got != c.want {
			t.Errorf("%q, %q against %q: %v, want %v", c.inm, c.ims, c.etag, got, c.want)
		}
	}
	if NotModified(request("", modifiedThen), nil, nil, time.Now()) {
		t.Error("without a Last-Modified")
	}
}

// http.ServeContent decides the same, for one line of tags and none of dates.
func FuzzNotModified(f *testing.F) {
	for _, c := range conditionCases {
		f.Add(c.inm, c.etag)
	}
	f.Fuzz(func(t *testing.T, inm, etag string) {
		if _, ok := opaqueTag(etag); !ok || strings.ContainsAny(inm, "\r\n") || strings.Trim(inm, " \t,") == "" {
			return
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header = request(inm, "")
		w := httptest.NewRecorder()
		w.Header()["Etag"] = []string{etag}
		http.ServeContent(w, r, "x.txt", time.Time{}, bytes.NewReader(nil))
		if got, want := NotModified(r.Header, []string{etag}, nil, time.Now()), w.Code == http.StatusNotModified; got != want {
			t.Errorf("If-None-Match: %q against %q: %v, http.ServeContent says %v", inm, etag, got, want)
		}
	})
}
