package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/middleware/admin"
	"github.com/reprise-go/reprise/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mount is where the tests' handler is.
const mount = "/ops/admin"

// key is the password of the tests.
const key = "sesame"

// A desk is a shop with a cache, and the admin handler for it.
type desk struct {
	t     *testing.T
	cache *reprise.Cache
	shop  http.Handler
	runs  atomic.Int64 // of the shop's handler
	log   bytes.Buffer
	http.Handler
}

func letIn(r *http.Request) (string, bool) {
	user, password, ok := r.BasicAuth()
	return user, ok && password == key
}

// newDesk returns a desk whose options may be changed before it opens.
func newDesk(t *testing.T, change func(*admin.Options)) *desk {
	t.Helper()
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t}
	if d.cache, err = reprise.New(st); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.cache.Close(context.Background()) })
	mux := http.NewServeMux()
	products := reprise.Policy{Name: "products", TTL: time.Minute, Jitter: -1, StaleWhileRevalidate: time.Hour}
	mux.Handle("/products/{id}", d.cache.Handler(products)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.runs.Add(1)
		reprise.Tag(r.Context(), "product:"+r.PathValue("id"))
		w.Header().Set("Vary", "Accept-Language")
		fmt.Fprint(w, "product ", r.PathValue("id"))
	})))
	d.shop = mux

	o := admin.Options{
		Cache: d.cache, Authorize: letIn, Routes: mux,
		Logger: slog.New(slog.NewTextHandler(&d.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&o)
	}
	h, err := admin.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	d.Handler = http.StripPrefix(mount, h)
	return d
}

// get has the shop answer, and returns what the cache said.
func (d *desk) get(path string) string {
	r := httptest.NewRequest("GET", path, nil)
	r.Host = "shop.example"
	w := httptest.NewRecorder()
	d.shop.ServeHTTP(w, r)
	return w.Header().Get("X-Cache")
}

// A query is a request for the handler, of who may.
type query struct {
	method, path string
	body         string
	kind         string // Content-Type
	fields       []string
}

func (d *desk) do(q query) *httptest.ResponseRecorder {
	d.t.Helper()
	if q.method == "" {
		q.method = "GET"
	}
	r := httptest.NewRequest(q.method, "http://admin.example"+mount+q.path, strings.NewReader(q.body))
	r.SetBasicAuth("ann", key)
	if q.kind != "" {
		r.Header.Set("Content-Type", q.kind)
	}
	for i := 0; i < len(q.fields); i += 2 {
		r.Header.Set(q.fields[i], q.fields[i+1])
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

// post sends JSON and returns the status, and the answer in into.
func (d *desk) post(path, body string, into any) int {
	d.t.Helper()
	w := d.do(query{method: "POST", path: path, body: body, kind: "application/json"})
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		d.t.Fatalf("%s: %d, %q: %v", path, w.Code, w.Body, err)
	}
	return w.Code
}

// form sends a form as the page of a browser with that cookie does. Values are given
// in pairs.
func (d *desk) form(path, token string, values ...string) *httptest.ResponseRecorder {
	d.t.Helper()
	form := url.Values{"token": {token}}
	for i := 0; i < len(values); i += 2 {
		form.Set(values[i], values[i+1])
	}
	return d.do(query{
		method: "POST", path: path, body: form.Encode(), kind: "application/x-www-form-urlencoded",
		fields: []string{"Cookie", "reprise-admin=" + token, "Sec-Fetch-Site", "same-origin"},
	})
}

// token opens the page, and returns the token that its cookie and its forms have.
func (d *desk) token() string {
	d.t.Helper()
	w := d.do(query{path: "/"})
	cookies := w.Result().Cookies()
	if w.Code != 200 || len(cookies) != 1 {
		d.t.Fatalf("%d with cookies %v: %s", w.Code, cookies, w.Body)
	}
	c := cookies[0]
	if c.Name != "reprise-admin" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "" || c.Secure {
		d.t.Errorf("cookie %v", c)
	}
	if n := strings.Count(w.Body.String(), `name="token" value="`+c.Value+`"`); n != 2 {
		d.t.Errorf("%d fields with the token, want one for purges and one for explanations", n)
	}
	return c.Value
}
