package middleware_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

// A handler that promises the rest of a part and brings something else is asked
// again for the whole.
func TestARestThatIsNotTheRest(t *testing.T) {
	for name, rest := range map[string]http.HandlerFunc{
		"shorter": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusPartialContent)
			fmt.Fprint(w, "56")
		},
		"longer": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusPartialContent)
			fmt.Fprint(w, "56789abc")
		},
		"empty": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusPartialContent) },
		"of an immense length": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "999999999999")
			w.WriteHeader(http.StatusPartialContent)
			fmt.Fprint(w, "56789")
		},
		"of another tag": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Etag", `"v2"`)
			w.WriteHeader(http.StatusPartialContent)
			fmt.Fprint(w, "56789")
		},
		"a panic": func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, reprise.Policy{Name: "parts"}, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "max-age=60")
				w.Header().Set("Etag", `"v1"`)
				switch r.Header.Get("Range") {
				case "bytes=0-4":
					w.Header().Set("Content-Range", "bytes 0-4/10")
					w.WriteHeader(http.StatusPartialContent)
					fmt.Fprint(w, "01234")
				case "bytes=5-":
					w.Header().Set("Content-Range", "bytes 5-9/10")
					rest(w, r)
				default:
					fmt.Fprint(w, "0123456789")
				}
			})
			s.get("/", "Range", "bytes=0-4").want(t, "MISS", "01234")
			if name == "a panic" {
				func() {
					defer func() {
						if recover() != any(http.ErrAbortHandler) {
							t.Error("no panic")
						}
					}()
					s.get("/")
				}()
				return
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			a := s.get("/")
			runtime.ReadMemStats(&after)
			if a.want(t, "MISS", "0123456789"); a.StatusCode != http.StatusOK || a.Header.Get("Content-Range") != "" {
				t.Errorf("got %d %v", a.StatusCode, a.Header)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
				t.Errorf("%d bytes allocated", n)
			}
			s.get("/").want(t, "HIT", "0123456789")
			s.wantRuns(3)
		})
	}
}

func TestAnEmptyPartIsNotStored(t *testing.T) {
	s := newSite(t, reprise.Policy{Name: "parts"}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Range", "bytes 0-4/10")
		w.WriteHeader(http.StatusPartialContent)
	})
	for range 2 {
		a := s.get("/", "Range", "bytes=0-4")
		if got := a.Header.Get("Cache-Status"); got != "reprise; fwd=uri-miss; fwd-status=206; detail=truncated" {
			t.Errorf("Cache-Status = %q", got)
		}
	}
}

// The length of a part is not what a HEAD has to agree with.
func TestAHEADDescribesTheWholeOfAPart(t *testing.T) {
	s := newSite(t, reprise.Policy{Name: "parts"}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Etag", `"v1"`)
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Length", "10")
			w.Header().Set("X-Head", "seen")
			return
		}
		w.Header().Set("Content-Range", "bytes 0-4/10")
		w.WriteHeader(http.StatusPartialContent)
		fmt.Fprint(w, "01234")
	})
	s.get("/", "Range", "bytes=0-4").want(t, "MISS", "01234")
	s.do("HEAD", "/").want(t, "MISS", "")
	a := s.get("/", "Range", "bytes=1-2")
	if a.want(t, "HIT", "12"); a.Header.Get("X-Head") != "seen" {
		t.Errorf("the part is as it was: %v", a.Header)
	}
}

// whole answers a Range, and If-Range, from text with ETag "e".
func whole(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Etag", `"e"`)
		http.ServeContent(w, r, "x.txt", time.Time{}, strings.NewReader(text))
	}
}

// completing is a site of which bytes 0-9 of 30 are stored, and whose rest is rest.
func completing(t *testing.T, rest http.HandlerFunc) *site {
	text := strings.Repeat("0123456789", 3)
	s := newSite(t, explicit(), func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-Range") != "" {
			w.Header().Set("Cache-Control", "max-age=60")
			w.Header().Set("Etag", `"e"`)
			w.Header().Set("Content-Range", "bytes 10-29/30")
			rest(w, r)
			return
		}
		whole(text)(w, r)
	})
	if a := s.get("/", "Range", "bytes=0-9"); a.StatusCode != 206 {
		t.Fatalf("got %d", a.StatusCode)
	}
	return s
}

func (a answer) wantWhole(t *testing.T) {
	t.Helper()
	if a.StatusCode != 200 || a.text != strings.Repeat("0123456789", 3) {
		t.Errorf("got %d %q, Content-Range %q, Content-Length %q, Cache-Status %q",
			a.StatusCode, a.text, a.Header.Get("Content-Range"), a.Header.Get("Content-Length"), a.Header["Cache-Status"])
	}
}

// A trailer behind the rest.
func TestARestWithATrailer(t *testing.T) {
	completing(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(206)
		w.Write([]byte("01234567890123456789"))
		w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
	}).get("/").wantWhole(t)
}

// What a handler flushes of a part reaches its client: the answer is the
// handler's own, whatever comes behind.
func TestAFlushedPartArrives(t *testing.T) {
	got := make(chan struct{})
	s := newSite(t, explicit(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Etag", `"e"`)
		w.Header().Set("Content-Range", "bytes 0-9/100")
		w.WriteHeader(206)
		w.Write([]byte("01234"))
		w.(http.Flusher).Flush()
		select {
		case <-got:
		case <-time.After(10 * time.Second):
			t.Error("the client has not got what was flushed")
		}
		w.Write([]byte("56789"))
	})
	server := httptest.NewServer(s)
	defer server.Close()
	r, _ := http.NewRequest("GET", server.URL, nil)
	r.Header.Set("Range", "bytes=0-9")
	res, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil {
		t.Error(err)
	}
	close(got)
	_, _ = io.Copy(io.Discard, res.Body)
}

// Keep is about what is confirmed by a 304; a part is completed all the same.
func TestAPartIsCompletedWhereNothingIsConfirmed(t *testing.T) {
	p := explicit()
	p.Advanced.Keep = -1
	var asked string
	s := newSite(t, p, func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("Range")
		whole("0123456789")(w, r)
	})
	s.get("/", "Range", "bytes=0-4").want(t, "MISS", "01234")
	s.get("/").want(t, "MISS", "0123456789")
	if asked != "bytes=5-" {
		t.Errorf("the handler was asked for %q", asked)
	}
}
