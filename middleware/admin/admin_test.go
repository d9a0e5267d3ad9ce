package admin_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reprise-go/reprise/health"
	"github.com/reprise-go/reprise/middleware/admin"
	"github.com/reprise-go/reprise/store"
)

func TestNewReportsEverything(t *testing.T) {
	_, err := admin.New(admin.Options{Stores: map[string]store.Pinger{"a": nil}, DataCaches: map[string]admin.Tally{"b": nil}})
	var wrong []string
	for _, one := range err.(interface{ Unwrap() []error }).Unwrap() {
		o, ok := errors.AsType[*admin.OptionError](one)
		if !ok {
			t.Fatalf("%T", one)
		}
		wrong = append(wrong, o.Option)
	}
	if want := []string{"Cache", "Authorize", "Stores", "DataCaches"}; !slices.Equal(wrong, want) {
		t.Errorf("%v is wrong, want %v", wrong, want)
	}
	if !strings.Contains(err.Error(), "admin: Authorize = <nil>: required") {
		t.Error(err)
	}
}

// ends are all endpoints, with how each is asked.
var ends = map[string]string{
	"/": "GET", "/console.css": "GET", "/console.js": "GET", "/policies": "GET", "/stats": "GET", "/purges": "GET", "/health": "GET",
	"/explain": "POST", "/purge": "POST",
}

// Who was not let in gets one answer to everything, and changes nothing, whatever he
// tries.
func TestNothingWithoutAuthorization(t *testing.T) {
	for name, c := range map[string]struct {
		challenge string
		status    int
		body      string
	}{
		"forbidden":    {"", 403, `{"error":"forbidden"}`},
		"unauthorized": {`Basic realm="admin"`, 401, `{"error":"unauthorized"}`},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, func(o *admin.Options) { o.Challenge = c.challenge })
			d.get("/products/1")
			token := d.token()
			paths := append([]string{"", "/none", "/purge/"}, keysOf(ends)...)
			for _, path := range paths {
				for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PURGE"} {
					for _, kind := range []string{"application/json", "application/x-www-form-urlencoded", "text/plain"} {
						body := `{"all":true}`
						if kind == "application/x-www-form-urlencoded" {
							body = "all=yes&confirm=yes&token=" + token
						}
						r := httptest.NewRequest(method, mount+path, strings.NewReader(body))
						r.Header.Set("Content-Type", kind)
						r.Header.Set("Cookie", "reprise-admin="+token)
						r.SetBasicAuth("ann", "guess")
						w := httptest.NewRecorder()
						d.ServeHTTP(w, r)
						if w.Code != c.status || strings.TrimSpace(w.Body.String()) != c.body || w.Header().Get("Www-Authenticate") != c.challenge || w.Header().Get("Allow") != "" {
							t.Fatalf("%s %s: %d, %v, %q", method, path, w.Code, w.Header(), w.Body)
						}
					}
				}
			}
			if got := d.get("/products/1"); got != "HIT" {
				t.Errorf("after all of it: %s", got)
			}
			if n := len(d.cache.Purges()); n != 0 {
				t.Errorf("%d purges", n)
			}
		})
	}
}

func keysOf(m map[string]string) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// Guessing fills no log, and the log has no secret.
func TestGuessesAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		guess := func() {
			r := httptest.NewRequest("POST", mount+"/purge?secret", nil)
			r.SetBasicAuth("ann", "nearly-"+key)
			r.Header.Set("Cookie", "sid="+key)
			d.ServeHTTP(httptest.NewRecorder(), r)
		}
		for range 10 {
			guess()
		}
		time.Sleep(time.Minute)
		guess()
		lines := slices.Collect(strings.Lines(d.log.String()))
		if len(lines) != 2 || !strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[0], "more=0") || !strings.Contains(lines[1], "more=9") {
			t.Errorf("logged %q", lines)
		}
		if strings.Contains(d.log.String(), key) || strings.Contains(d.log.String(), "secret") || strings.Contains(d.log.String(), "Basic") {
			t.Errorf("logged %q", lines)
		}
	})
}

// Each path is there by its own method alone, and nothing else is.
func TestPathsAndMethods(t *testing.T) {
	d := newDesk(t, nil)
	for path, method := range ends {
		for _, m := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PURGE", "get"} {
			w := d.do(query{method: m, path: path, body: `{"url":"http://shop.example/products/1","tags":["a"]}`, kind: "application/json"})
			allowed := m == method || m == "HEAD" && method == "GET"
			if path == "/explain" || path == "/purge" {
				// Their bodies differ: that neither is 405 is what counts here.
				if (w.Code != 405) != allowed {
					t.Errorf("%s %s: %d", m, path, w.Code)
				}
			} else if (w.Code == 200) != allowed || !allowed && w.Code != 405 {
				t.Errorf("%s %s: %d", m, path, w.Code)
			}
			if want := map[string]string{"GET": "GET, HEAD", "POST": "POST"}[method]; w.Code == 405 && w.Header().Get("Allow") != want {
				t.Errorf("%s %s: Allow %q", m, path, w.Header().Get("Allow"))
			}
		}
	}
	for _, path := range []string{"/purge/", "//purge", "/./purge", "/Purge", "/purge/all", "/console.html", "/../purge", "/%70urge/x"} {
		if w := d.do(query{method: "POST", path: path, body: `{"all":true}`, kind: "application/json"}); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// Every answer, errors too, is guarded.
func TestEveryAnswerIsGuarded(t *testing.T) {
	d := newDesk(t, nil)
	for path := range ends {
		for _, q := range []query{{path: path}, {path: path, method: "POST"}, {path: path, fields: []string{"Authorization", "none"}}, {path: path + "x"}} {
			h := d.do(q).Header()
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			} {
				if h.Get(name) != want {
					t.Errorf("%v: %s: %q", q, name, h.Get(name))
				}
			}
			policy := h.Get("Content-Security-Policy")
			for _, want := range []string{"default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
				if !strings.Contains(policy, want) || strings.Contains(policy, "unsafe") {
					t.Errorf("%v: CSP %q", q, policy)
				}
			}
			keeps := "no-store"
			if strings.HasPrefix(h.Get("Content-Type"), "text/css") || strings.HasPrefix(h.Get("Content-Type"), "text/javascript") {
				keeps = "private, no-cache"
			}
			if h.Get("Cache-Control") != keeps {
				t.Errorf("%v: Cache-Control %q", q, h.Get("Cache-Control"))
			}
		}
	}
}

// The style sheet and the script are sent once, and confirmed after that.
func TestAssetsAreConfirmed(t *testing.T) {
	d := newDesk(t, nil)
	for _, path := range []string{"/console.css", "/console.js"} {
		w := d.do(query{path: path})
		etag := w.Header().Get("Etag")
		if w.Code != 200 || etag == "" || w.Body.Len() == 0 {
			t.Fatalf("%s: %d, ETag %q, %d bytes", path, w.Code, etag, w.Body.Len())
		}
		if w = d.do(query{path: path, fields: []string{"If-None-Match", etag}}); w.Code != 304 || w.Body.Len() != 0 {
			t.Errorf("%s, again: %d", path, w.Code)
		}
	}
}

// The mount without its slash leads to the page, and nowhere else.
func TestMountWithoutSlash(t *testing.T) {
	d := newDesk(t, nil)
	for target, want := range map[string]string{mount: "./admin/", mount + "?url=x": "./admin/"} {
		r := httptest.NewRequest("GET", target, nil)
		r.SetBasicAuth("ann", key)
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		if w.Code != 307 || w.Header().Get("Location") != want {
			t.Errorf("%s: %d to %q", target, w.Code, w.Header().Get("Location"))
		}
	}
}

func TestReads(t *testing.T) {
	d := newDesk(t, nil)
	for path, want := range map[string]string{
		"/policies": `"name":"products","ttl_ns":60000000000,"stale_while_revalidate_ns":3600000000000`,
		"/stats":    `{"every_ns":5000000000,"policies":[],"data_caches":[]}`,
		"/purges":   `[]`,
		"/health":   `"stores":{"cache":{"status":"ok"`,
	} {
		w := d.do(query{path: path})
		if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" || !json.Valid(w.Body.Bytes()) || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d, %s", path, w.Code, w.Body)
		}
	}
	d.post("/purge", `{"tags":["product:1"]}`, new(any))
	if w := d.do(query{path: "/purges"}); !strings.Contains(w.Body.String(), `"tags":["product:1"]`) {
		t.Errorf("%s", w.Body)
	}
}

// A store that is away is told of, on the page as well.
func TestHealth(t *testing.T) {
	away := pinger{Health: store.Health{Degraded: store.BreakerOpen + ", " + store.LocalUntrusted, Latency: time.Millisecond}, err: errors.New("dial")}
	d := newDesk(t, func(o *admin.Options) { o.Stores = map[string]store.Pinger{"shop": away} })
	var report health.Report
	if err := json.Unmarshal(d.do(query{path: "/health"}).Body.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if s := report.Stores["shop"]; report.Status != health.Degraded || s.Err != "dial" || s.Degraded != away.Degraded {
		t.Errorf("%+v", report)
	}
	page := d.do(query{path: "/"}).Body.String()
	for _, want := range []string{"breaker open, local tier not trusted", "<td>open</td>", "<td>not trusted</td>", "<td>1ms</td>"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s on the page", want)
		}
	}
}

// HEAD has the header and no more over the wire.
func TestOverTheWire(t *testing.T) {
	d := newDesk(t, nil)
	server := httptest.NewServer(d)
	defer server.Close()
	r, err := http.NewRequest("HEAD", server.URL+mount+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("ann", key)
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%d, %v", answer.StatusCode, answer.Header)
	}
}
