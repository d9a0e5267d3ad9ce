package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/middleware/admin"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

// An answer is what /purge and its errors have.
type answer struct {
	Count   int
	AtLeast bool `json:"at_least"`
	Token   string
	Error   string
}

func TestPurge(t *testing.T) {
	const url = `"urls":["http://shop.example/products/1"]`
	for name, c := range map[string]struct {
		body  string
		count int
		least bool
		first string // what /products/1 is then
		other string // and /products/2
	}{
		"url":                {`{` + url + `}`, -1, false, "MISS", "HIT"},
		"url by https":       {`{"urls":["https://shop.example/products/1"]}`, -1, false, "MISS", "HIT"},
		"url, softly":        {`{` + url + `,"soft":true}`, -1, false, "STALE", "HIT"},
		"url, dry":           {`{` + url + `,"dry_run":true}`, 1, true, "HIT", "HIT"},
		"unknown url, dry":   {`{"urls":["http://shop.example/x"],"dry_run":true}`, 0, true, "HIT", "HIT"},
		"tag":                {`{"tags":["product:1"]}`, -1, false, "MISS", "HIT"},
		"tag, softly":        {`{"tags":["product:1"],"soft":true}`, -1, false, "STALE", "HIT"},
		"tag, dry":           {`{"tags":["product:1"],"dry_run":true}`, -1, false, "HIT", "HIT"},
		"match":              {`{"match":"*/products/*"}`, 2, false, "MISS", "MISS"},
		"match, softly":      {`{"match":"*/products/2","soft":true}`, 1, false, "HIT", "STALE"},
		"match, dry":         {`{"match":"*","dry_run":true}`, 2, false, "HIT", "HIT"},
		"match nothing":      {`{"match":"*/none"}`, 0, false, "HIT", "HIT"},
		"match and tag, dry": {`{"match":"*/1","tags":["product:2"],"dry_run":true}`, 1, true, "HIT", "HIT"},
		"all":                {`{"all":true}`, -1, false, "MISS", "MISS"},
		"all, dry":           {`{"all":true,"match":"*","dry_run":true}`, -1, false, "HIT", "HIT"},
		"url and tag":        {`{` + url + `,"tags":["product:2"]}`, -1, false, "MISS", "MISS"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, nil)
			d.get("/products/1")
			d.get("/products/2")
			var a answer
			if status := d.post("/purge", c.body, &a); status != 200 || a.Count != c.count || a.AtLeast != c.least {
				t.Errorf("%d, %+v", status, a)
			}
			if first, other := d.get("/products/1"), d.get("/products/2"); first != c.first || other != c.other {
				t.Errorf("%s and %s, want %s and %s", first, other, c.first, c.other)
			}
			if got, want := d.cache.Purges()[0].DryRun, strings.Contains(c.body, "dry_run"); got != want {
				t.Errorf("dry: %v", got)
			}
		})
	}
}

// What makes no sense is answered so, and changes nothing.
func TestNonsense(t *testing.T) {
	d := newDesk(t, nil)
	d.get("/products/1")
	large := `{"tags":["` + strings.Repeat("x", 64<<10) + `"]}`
	for name, c := range map[string]struct {
		kind, body string
		status     int
		says       string
	}{
		"no body":        {"application/json", "", 400, "EOF"},
		"no JSON":        {"application/json", "all", 400, "body: "},
		"cut":            {"application/json", `{"all":tr`, 400, "body: "},
		"null":           {"application/json", `null`, 400, "nothing to purge"},
		"array":          {"application/json", `[{"all":true}]`, 400, "body: "},
		"unknown field":  {"application/json", `{"all":true,"hard":true}`, 400, `unknown field "hard"`},
		"two":            {"application/json", `{"tags":["a"]}{"all":true}`, 400, "more than one JSON value"},
		"trailing":       {"application/json", `{"tags":["a"]} x`, 400, "more than one JSON value"},
		"wrong type":     {"application/json", `{"all":"yes"}`, 400, "body: "},
		"tag no list":    {"application/json", `{"tags":"a"}`, 400, "body: "},
		"nothing":        {"application/json", `{}`, 400, "nothing to purge"},
		"only softly":    {"application/json", `{"soft":true}`, 400, "nothing to purge"},
		"empty tag":      {"application/json", `{"all":true,"tags":[""]}`, 400, "an empty URL or tag"},
		"empty url":      {"application/json", `{"all":true,"urls":[""]}`, 400, "an empty URL or tag"},
		"relative url":   {"application/json", `{"urls":["/products/1"]}`, 400, "not absolute"},
		"no url":         {"application/json", `{"urls":["http://[::1"]}`, 400, "parse"},
		"one url of two": {"application/json", `{"urls":["http://shop.example/products/1","x"]}`, 400, "not absolute"},
		"large":          {"application/json", large, 413, "64 KiB"},
		"large form":     {"application/x-www-form-urlencoded", "tags=" + strings.Repeat("x", 64<<10), 413, "64 KiB"},
		"broken form":    {"application/x-www-form-urlencoded", "tags=%zz", 400, "body: "},
		"no type":        {"", `{"all":true}`, 415, "Content-Type"},
		"text":           {"text/plain", `{"all":true}`, 415, "Content-Type"},
		"multipart":      {"multipart/form-data; boundary=x", `{"all":true}`, 415, "Content-Type"},
		"nearly JSON":    {"application/json5", `{"all":true}`, 415, "Content-Type"},
		"broken type":    {"application/json; =", `{"all":true}`, 415, "Content-Type"},
	} {
		t.Run(name, func(t *testing.T) {
			w := d.do(query{method: "POST", path: "/purge", body: c.body, kind: c.kind})
			var a answer
			if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != c.status || !strings.Contains(a.Error, c.says) {
				t.Errorf("%d, %q, %v", w.Code, w.Body, err)
			}
		})
	}
	if got := d.get("/products/1"); got != "HIT" || len(d.cache.Purges()) != 0 {
		t.Errorf("%s, %v", got, d.cache.Purges())
	}
}

// Each line of defence against another site's page stands by itself.
func TestOtherSitesPurgeNothing(t *testing.T) {
	d := newDesk(t, nil)
	d.get("/products/1")
	token := d.token()
	const form, jsonType = "application/x-www-form-urlencoded", "application/json"
	good := "all=yes&confirm=yes&token=" + token
	cookie := "reprise-admin=" + token
	for name, c := range map[string]struct {
		kind, body string
		fields     []string
		status     int
	}{
		"cross-site form":             {form, good, []string{"Sec-Fetch-Site", "cross-site", "Cookie", cookie}, 403},
		"sibling's form":              {form, good, []string{"Sec-Fetch-Site", "same-site", "Cookie", cookie}, 403},
		"other origin's form":         {form, good, []string{"Origin", "http://evil.example", "Cookie", cookie}, 403},
		"sandbox's form":              {form, good, []string{"Origin", "null", "Cookie", cookie}, 403},
		"other port's form":           {form, good, []string{"Origin", "http://admin.example:81", "Cookie", cookie}, 403},
		"cross-site JSON":             {jsonType, `{"all":true}`, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"other origin's JSON":         {jsonType, `{"all":true}`, []string{"Origin", "http://evil.example"}, 403},
		"JSON as text":                {"text/plain", `{"all":true}`, nil, 415},
		"JSON as form":                {form, `{"all":true}`, []string{"Cookie", cookie}, 403},
		"form without token":          {form, "all=yes&confirm=yes", []string{"Cookie", cookie}, 403},
		"form without cookie":         {form, good, nil, 403},
		"form with another's token":   {form, "all=yes&confirm=yes&token=" + strings.Repeat("A", 26), []string{"Cookie", cookie}, 403},
		"form with neither":           {form, "all=yes&confirm=yes", nil, 403},
		"form with empty cookie":      {form, "all=yes&confirm=yes&token=", []string{"Cookie", "reprise-admin="}, 403},
		"form with a cookie it chose": {form, "all=yes&confirm=yes&token=x", []string{"Cookie", "reprise-admin=x"}, 403},
		"token in the query":          {form, "all=yes&confirm=yes", []string{"Cookie", cookie}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			path := "/purge"
			if name == "token in the query" {
				path += "?token=" + token
			}
			if w := d.do(query{method: "POST", path: path, body: c.body, kind: c.kind, fields: c.fields}); w.Code != c.status {
				t.Errorf("%d: %s", w.Code, w.Body)
			}
			if got := d.get("/products/1"); got != "HIT" || len(d.cache.Purges()) != 0 {
				t.Fatalf("%s, %v", got, d.cache.Purges())
			}
		})
	}
	// The same request is carried out where all lines let it pass: they are what held.
	if w := d.do(query{method: "POST", path: "/purge", body: good, kind: form, fields: []string{"Origin", "http://admin.example", "Cookie", cookie}}); w.Code != 200 {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	if got := d.get("/products/1"); got != "MISS" {
		t.Errorf("after the purge: %s", got)
	}
}

// The console's form counts, asks back, and then purges.
func TestPurgeForm(t *testing.T) {
	d := newDesk(t, nil)
	d.get("/products/1")
	token := d.token()
	has := func(w *httptest.ResponseRecorder, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if w.Code != 200 || !strings.Contains(w.Body.String(), text) {
				t.Errorf("%d, no %q in %s", w.Code, text, w.Body)
			}
		}
	}
	asked := []string{"urls", "http://shop.example/products/1\r\n\r\n  http://shop.example/products/9  ", "mode", "hard"}
	w := d.form("/purge", token, asked...)
	has(w, "Purge this?", "at least 1 entry", "Purge now", "http://shop.example/products/9", `name="token" value="`+token)
	if got := d.get("/products/1"); got != "HIT" {
		t.Fatalf("before it was confirmed: %s", got)
	}
	has(d.form("/purge", token, append(asked, "confirm", "yes")...), "<h3>Purged</h3>", "not counted")
	if got := d.get("/products/1"); got != "MISS" {
		t.Errorf("when it was confirmed: %s", got)
	}
	has(d.form("/purge", token, "tags", "product:1", "mode", "soft"), "makes stale", "not counted", "tag <code>product:1</code>")
	has(d.form("/purge", token, "tags", "product:1", "mode", "soft", "confirm", "yes"), "Made stale")
	if got := d.get("/products/1"); got != "STALE" {
		t.Errorf("softly: %s", got)
	}
	has(d.form("/purge", token, "match", "*", "confirm", "yes"), "<strong>1 entry</strong>")
	has(d.form("/purge", token, "all", "yes"), "entries of other caches there included")

	for name, w := range map[string]*httptest.ResponseRecorder{
		"nothing": d.form("/purge", token, "urls", " \n "), "relative": d.form("/purge", token, "urls", "/products/1"),
	} {
		if w.Code != 400 || !strings.Contains(w.Body.String(), `role="alert"`) {
			t.Errorf("%s: %d, %s", name, w.Code, w.Body)
		}
	}
	// A form of an older page gets what it had, with the token that goes with the cookie.
	w = d.do(query{method: "POST", path: "/purge", body: "tags=product:1&token=old", kind: "application/x-www-form-urlencoded", fields: []string{"Cookie", "reprise-admin=" + token}})
	if body := w.Body.String(); w.Code != 403 || !strings.Contains(body, "product:1") || !strings.Contains(body, token) || strings.Contains(body, "Purge now") {
		t.Errorf("%d, %s", w.Code, body)
	}
}

// A purge is logged with who made it, and without what was in it.
func TestPurgesAreLogged(t *testing.T) {
	d := newDesk(t, nil)
	d.post("/purge", `{"urls":["http://shop.example/products/secret"],"tags":["secret"],"match":"secret*","soft":true}`, new(any))
	line := d.log.String()
	for _, want := range []string{"level=INFO", "principal=ann", "urls=1", "tags=1", "match=true", "all=false", "soft=true", "dry_run=false", "count=-1"} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %q", want, line)
		}
	}
	if strings.Contains(line, "secret") || strings.Contains(line, key) {
		t.Errorf("logged %q", line)
	}
}

// A broken store fails to purge, and remembers whether it was asked with a context that
// had ended.
type broken struct {
	store.Store
	ended []bool
}

func (b *broken) Purge(ctx context.Context, _ store.Purge) (store.Purged, error) {
	b.ended = append(b.ended, ctx.Err() != nil)
	return store.Purged{}, errors.New("redis is away")
}

// onBroken returns a desk with another cache, which cannot purge.
func onBroken(t *testing.T) (*desk, *broken) {
	t.Helper()
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &broken{Store: st}
	cache, err := reprise.New(b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cache.Close(context.Background()) })
	return newDesk(t, func(o *admin.Options) { o.Cache = cache }), b
}

func TestPurgeThatFails(t *testing.T) {
	d, _ := onBroken(t)
	var a answer
	if status := d.post("/purge", `{"tags":["a"]}`, &a); status != 503 || !strings.Contains(a.Error, "redis is away") {
		t.Errorf("%d, %+v", status, a)
	}
	if !strings.Contains(d.log.String(), `level=WARN msg="admin: purge"`) {
		t.Errorf("logged %q", &d.log)
	}
	if w := d.form("/purge", d.token(), "tags", "a", "confirm", "yes"); w.Code != 503 || !strings.Contains(w.Body.String(), "redis is away") {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
}

// A purge outlives who asked for it, and a count does not.
func TestPurgeIsFinished(t *testing.T) {
	d, b := onBroken(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, dry := range []bool{false, true} {
		r := httptest.NewRequestWithContext(ctx, "POST", mount+"/purge", strings.NewReader(fmt.Sprintf(`{"tags":["a"],"dry_run":%t}`, dry)))
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth("ann", key)
		d.ServeHTTP(httptest.NewRecorder(), r)
	}
	if want := []bool{false, true}; !slices.Equal(b.ended, want) {
		t.Errorf("with an ended context: %v, want %v", b.ended, want)
	}
}
