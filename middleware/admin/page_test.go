package admin_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/middleware/admin"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// hostile is what must never be on the page as it is: it would leave an element, an
// attribute in either kind of quotes, or a textarea.
const hostile = `</textarea></title>"'><script>x()</script><b onx=`

// skeleton is a page without its text and its attributes' values: what a browser makes
// elements of.
func skeleton(page string) string {
	var b strings.Builder
	for _, tag := range strings.SplitAfter(page, "<") {
		name, _, _ := strings.Cut(tag, ">")
		name, _, _ = strings.Cut(name, " ")
		b.WriteString(name + "\n")
	}
	return b.String()
}

// siteOf returns a desk where text is in everything that a request, a response or an
// operator may bring: names, keys, tags, variants, fields, errors.
func siteOf(t *testing.T, text string) *desk {
	t.Helper()
	d := newDesk(t, func(o *admin.Options) {
		o.Authorize = func(*http.Request) (string, bool) { return text, true }
		o.Counts = &tally{PolicyCounts: reprise.PolicyCounts{Policy: text}}
		o.DataCaches = map[string]admin.Tally{text: stats(swr.Stats{})}
		o.Stores = map[string]store.Pinger{text: pinger{Health: store.Health{Degraded: text}, err: errors.New(text)}}
		p := reprise.Policy{Name: text, Vary: []string{"X-A"}, Cookies: reprise.Cookies{Vary: []string{"tenant"}}, Key: func(dst []byte, r *http.Request) ([]byte, error) {
			return append(dst, "GET|http|shop.example|"+text+"|"+r.URL.Path...), nil
		}}
		o.Routes = o.Cache.Handler(p)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reprise.Tag(r.Context(), text)
			w.Header()["Cache-Control"] = []string{"max-age=60"}
			w.Header()["Etag"] = []string{`"` + text + `"`}
			w.Header()["X-Text"] = []string{text}
		}))
		r := httptest.NewRequest("GET", "/stored", nil)
		r.Header.Set("X-A", text)
		o.Routes.ServeHTTP(httptest.NewRecorder(), r)
	})
	return d
}

// pages are all that the console shows of d.
func (d *desk) pages(text string) map[string]*httptest.ResponseRecorder {
	const token = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
	asked := []string{"urls", "http://shop.example/" + url.PathEscape(text), "tags", text, "match", text, "mode", text}
	stored := url.Values{"url": {"http://shop.example/stored?" + text}, "method": {"GET"}, "fields": {"X-A: " + text}}
	return map[string]*httptest.ResponseRecorder{
		"purge, asked":   d.form("/purge", token, asked...),
		"purge, done":    d.form("/purge", token, append(asked, "confirm", "yes")...),
		"purge, refused": d.form("/purge", token, "urls", text, "tags", text),
		"explain":        d.do(query{path: "/?" + stored.Encode()}),
		"explain, wrong": d.do(query{path: "/?" + url.Values{"url": {text}, "method": {text}, "fields": {text}}.Encode()}),
		"explain, tried": d.form("/explain", token, "url", "http://shop.example/new", "fields", "X-A: "+text),
		"page":           d.do(query{path: "/"}),
	}
}

// Whatever keys, tags, fields, names and errors hold, it is text: a page with it has
// the elements of a page with a plain word.
func TestEverythingIsEscaped(t *testing.T) {
	for name, text := range map[string]string{"script": "<script>x()</script>", "all": hostile} {
		t.Run(name, func(t *testing.T) {
			plain := siteOf(t, "word").pages("word")
			for where, w := range siteOf(t, text).pages(text) {
				body := w.Body.String()
				if !strings.Contains(body, "&lt;script&gt;x()&lt;/script&gt;") {
					t.Errorf("%s: %d, the text is not there: %s", where, w.Code, body)
				}
				if strings.Contains(body, "<script>") || strings.Contains(body, "<b onx") || strings.Contains(body, "ZgotmplZ") {
					t.Errorf("%s: not escaped: %s", where, body)
				}
				if got, want := skeleton(body), skeleton(plain[where].Body.String()); got != want {
					t.Errorf("%s: other elements than those of a plain word:\n%s", where, body)
				}
			}
		})
	}
}

// The page has nothing that its Content-Security-Policy forbids, or that needs JavaScript.
func TestPageNeedsNoScript(t *testing.T) {
	for where, w := range siteOf(t, "word").pages("word") {
		body := w.Body.String()
		for _, never := range []string{" style=", "<style", " onclick", " onsubmit", "javascript:", "http://www", "//cdn", `href="/`, `src="/`, `action="/`} {
			if strings.Contains(body, never) {
				t.Errorf("%s: %q", where, never)
			}
		}
		if n := strings.Count(body, "<script"); n != 1 {
			t.Errorf("%s: %d scripts", where, n)
		}
	}
}

// Names, tags, patterns and errors of any bytes leave the page's elements as they are.
func FuzzPage(f *testing.F) {
	for _, text := range []string{"word", hostile, "{{.}}", "\x00\xff<", "-->", "\n</dd>", "&lt;"} {
		f.Add(text)
	}
	page := func(t *testing.T, text string) string {
		d := siteOf(t, text)
		asked, err := json.Marshal(map[string]any{"tags": []string{text}, "match": text})
		if err != nil {
			t.Fatal(err)
		}
		d.post("/purge", string(asked), new(any))
		return skeleton(d.do(query{path: "/?" + url.Values{"url": {text}, "fields": {text}}.Encode(), fields: []string{"Sec-Fetch-Site", "cross-site"}}).Body.String())
	}
	var word string
	f.Fuzz(func(t *testing.T, text string) {
		if strings.TrimSpace(text) == "" || strings.HasPrefix(text, "\x00url ") {
			return // it is left out, and the page has other elements for that
		}
		if word == "" {
			word = page(t, "word")
		}
		if got := page(t, text); got != word {
			t.Errorf("%q makes elements:\n%s", text, got)
		}
	})
}
