package admin_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/middleware/admin"
)

// An explained is what is read of an explanation.
type explained struct {
	Policy, Outcome, Reason, Key, Error string
	Status                              int
	Parts                               []struct{ Name, Value string }
	Selects                             []string
	Entry                               *struct {
		Tier, State string
		Tags        []string
		Fresh       int64 `json:"fresh_ns"`
	}
	Tried *struct {
		Status int
		Stored bool
		Header http.Header
	}
}

func TestExplain(t *testing.T) {
	d := newDesk(t, nil)
	ask := func(body string) explained {
		t.Helper()
		var e explained
		if status := d.post("/explain", body, &e); status != 200 {
			t.Errorf("%s: %d, %+v", body, status, e)
		}
		return e
	}
	const product = `{"url":"http://shop.example/products/1"`
	if e := ask(product + `}`); e.Policy != "products" || e.Outcome != "miss" || e.Reason != "uri-miss" || e.Key != "GET|http|shop.example|/products/1" || e.Entry != nil || e.Tried != nil || d.runs.Load() != 0 {
		t.Errorf("%+v", e)
	}
	if e := ask(product + `,"try":true}`); e.Tried == nil || e.Tried.Status != 200 || !e.Tried.Stored || e.Tried.Header.Get("Vary") == "" || d.runs.Load() != 1 {
		t.Errorf("%+v", e)
	}
	if got := d.get("/products/1"); got != "MISS" {
		t.Errorf("what was tried was stored: %s", got)
	}
	if e := ask(product + `}`); e.Outcome != "hit" || e.Entry.Tier != "memory" || e.Entry.State != "fresh" || e.Entry.Tags[0] != "product:1" || e.Entry.Fresh != 6e10 || e.Selects[0] != "Accept-Language" {
		t.Errorf("%+v, %+v", e, e.Entry)
	}
	if e := ask(product + `,"fields":["accept-language:  de "]}`); e.Reason != "vary-miss" {
		t.Errorf("%+v", e)
	}
	if e := ask(product + `,"method":"DELETE"}`); e.Outcome != "bypass" || e.Reason != "method" {
		t.Errorf("%+v", e)
	}
	if e := ask(product + `,"fields":["Host: other.example"]}`); e.Key != "GET|http|other.example|/products/1" {
		t.Errorf("%+v", e)
	}
	if e := ask(`{"url":"https://shop.example/products/1?b=2#part"}`); e.Key != "GET|https|shop.example|/products/1|b=2" {
		t.Errorf("%+v", e)
	}
	if e := ask(`{"url":"http://shop.example"}`); e.Policy != "" || e.Status != 404 {
		t.Errorf("%+v", e)
	}
	if d.get("/products/1") != "HIT" {
		t.Error("an explanation has changed what is stored")
	}
}

// What is no request is answered so.
func TestExplainNonsense(t *testing.T) {
	d := newDesk(t, nil)
	for body, says := range map[string]string{
		`{}`:                           "not an absolute http or https URL",
		`{"url":"/products/1"}`:        "not an absolute",
		`{"url":"ftp://shop.example"}`: "not an absolute",
		`{"url":"http://"}`:            "not an absolute",
		`{"url":"http://a b/"}`:        "parse",
		`{"url":"http://shop.example","method":"GET /x"}`:         "invalid method",
		`{"url":"http://shop.example","fields":["Accept"]}`:       "is not a field",
		`{"url":"http://shop.example","fields":["A: b\r\nC: d"]}`: "is not a field",
		`{"url":"http://shop.example","fields":["A b: c"]}`:       "is not a field",
		`{"url":"http://shop.example","fields":["A: \u0001"]}`:    "is not a field",
		`{"url":"http://shop.example","fields":[" A: b"]}`:        "is not a field",
		`{"url":"http://shop.example","header":{"A":"b"}}`:        "unknown field",
	} {
		var e explained
		if status := d.post("/explain", body, &e); status != 400 || !strings.Contains(e.Error, says) {
			t.Errorf("%s: %d, %q", body, status, e.Error)
		}
	}
}

// The page explains by a link, without a token and without running a handler; with its
// token it runs one.
func TestExplainOnThePage(t *testing.T) {
	d := newDesk(t, nil)
	d.get("/products/1")
	link := "/?" + url.Values{"url": {"http://shop.example/products/1"}, "method": {"GET"}, "fields": {"Accept: text/html\r\n"}}.Encode()
	w := d.do(query{path: link})
	for _, want := range []string{"<h3>hit</h3>", "<code>GET|http|shop.example|/products/1</code>", "<dd>products</dd>", "Accept: text/html", "<code>product:1</code>", "this process&#39;s memory"} {
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) && !strings.Contains(html.UnescapeString(w.Body.String()), html.UnescapeString(want)) {
			t.Errorf("%d, no %s in %s", w.Code, want, w.Body)
		}
	}
	// Another site's link fills the form alone.
	for _, site := range []string{"cross-site", "same-site"} {
		w = d.do(query{path: link, fields: []string{"Sec-Fetch-Site", site}})
		if body := w.Body.String(); w.Code != 200 || strings.Contains(body, `id="explanation"`) || !strings.Contains(body, `value="http://shop.example/products/1"`) {
			t.Errorf("%s: %d, %s", site, w.Code, body)
		}
	}
	if w = d.do(query{path: "/?url=x"}); w.Code != 400 || !strings.Contains(w.Body.String(), `role="alert"`) {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
	runs := d.runs.Load()
	if w = d.do(query{path: "/?try=yes&url=http://shop.example/products/2"}); w.Code != 200 || d.runs.Load() != runs {
		t.Errorf("a GET has run the handler: %d", w.Code)
	}
	w = d.form("/explain", d.token(), "url", "http://shop.example/products/2", "method", "GET")
	if w.Code != 200 || d.runs.Load() != runs+1 || !strings.Contains(w.Body.String(), "it would be stored: 1m fresh") {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
	w = d.do(query{method: "POST", path: "/explain", body: "url=http://shop.example/products/3", kind: "application/x-www-form-urlencoded"})
	if w.Code != 403 || d.runs.Load() != runs+1 {
		t.Errorf("without a token: %d", w.Code)
	}
}

func TestNothingToExplain(t *testing.T) {
	d := newDesk(t, func(o *admin.Options) { o.Routes = nil })
	var e explained
	if status := d.post("/explain", `{"url":"http://shop.example/products/1"}`, &e); status != 501 || !strings.Contains(e.Error, "Options.Routes") {
		t.Errorf("%d, %+v", status, e)
	}
	if page := d.do(query{path: "/"}).Body.String(); !strings.Contains(page, "Nothing can be explained") || strings.Contains(page, "explain-url") {
		t.Error(page)
	}
}

// Under chi, whose routing context is in the request's, an explanation begins at the
// root of the router, even if that is where the admin handler is.
func TestExplainWithinChi(t *testing.T) {
	router := chi.NewRouter()
	d := newDesk(t, func(o *admin.Options) {
		router.With(o.Cache.Handler(reprise.Policy{Name: "items"})).Get("/items/{id}", func(http.ResponseWriter, *http.Request) {})
		o.Routes = router
	})
	router.Mount(mount, d.Handler)
	r := httptest.NewRequest("POST", mount+"/explain", strings.NewReader(`{"url":"http://shop.example/items/7"}`))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("ann", key)
	w := httptest.NewRecorder()
	router.ServeHTTP(w, r)
	var e explained
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Policy != "items" {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
	// Nobody gets in by having himself explained.
	r = httptest.NewRequest("POST", mount+"/explain", strings.NewReader(`{"url":"http://shop.example`+mount+`/"}`))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("ann", key)
	w = httptest.NewRecorder()
	router.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Status != 403 {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
}

// A handler that panics takes nothing else with it.
func TestExplainOfAPanic(t *testing.T) {
	d := newDesk(t, func(o *admin.Options) {
		o.Routes = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("<oh no>") })
	})
	var e explained
	if status := d.post("/explain", `{"url":"http://shop.example/","fields":["Cookie: sid=secret"]}`, &e); status != 502 || e.Error != "the handler panicked: <oh no>" {
		t.Errorf("%d, %+v", status, e)
	}
	if log := d.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "stack=") || strings.Contains(log, "secret") {
		t.Errorf("logged %s", log)
	}
	if w := d.do(query{path: "/?url=http://shop.example/"}); w.Code != 502 || !strings.Contains(w.Body.String(), "the handler panicked: &lt;oh no&gt;") {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
}
