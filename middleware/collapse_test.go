package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// crowd sends n requests at once and returns the answers, and how long the
// last one took.
func crowd(s *site, n int, fields ...string) (answers []answer, took time.Duration) {
	answers = make([]answer, n)
	began := time.Now()
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = s.get("/", fields...) })
	}
	wg.Wait()
	return answers, time.Since(began)
}

func count(answers []answer) map[string]int {
	n := make(map[string]int)
	for _, a := range answers {
		n[a.Header.Get("X-Cache")]++
	}
	return n
}

func TestACrowdRunsTheHandlerOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			fmt.Fprint(w, "x")
		})
		answers, took := crowd(s, 500)
		s.wantRuns(1)
		if n := count(answers); n["MISS"] != 1 || n["HIT"] != 499 || took != time.Second {
			t.Errorf("%v in %v", n, took)
		}
		for _, a := range answers {
			if a.text != "x" || a.StatusCode != 200 {
				t.Fatalf("got %d %q", a.StatusCode, a.text)
			}
		}
	})
}

func TestACrowdWithUnshareableAnswersIsNotServedOneByOne(t *testing.T) {
	for name, fields := range map[string][]string{
		"private": {"Cache-Control", "private"}, "Set-Cookie": {"Set-Cookie", "a=b"}, "Vary: *": {"Vary", "*"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var n atomic.Int64
				s := newSite(t, plain, with(func(w http.ResponseWriter, r *http.Request) {
					time.Sleep(time.Second)
					fmt.Fprint(w, n.Add(1))
				}, fields...))
				answers, took := crowd(s, 100)
				s.wantRuns(100)
				if took > 3*time.Second {
					t.Errorf("100 answers took %v", took)
				}
				seen := make(map[string]bool)
				for _, a := range answers {
					if seen[a.text] {
						t.Errorf("answer %q went to two clients", a.text)
					}
					seen[a.text] = true
				}
				if _, took := crowd(s, 10); took > time.Second {
					t.Errorf("the next ones queued: %v", took)
				}
			})
		})
	}
}

func TestACrowdOfVariantsRunsTheHandlerOncePerVariant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			w.Header().Set("Vary", "X-V")
			fmt.Fprint(w, r.Header.Get("X-V"))
		})
		var wg sync.WaitGroup
		for i := range 100 {
			v := fmt.Sprint(i % 2)
			wg.Go(func() {
				if a := s.get("/", "X-V", v); a.text != v {
					t.Errorf("got %q, want %q", a.text, v)
				}
			})
		}
		wg.Wait()
		s.wantRuns(2)
	})
}

func TestALeaderWhoLeavesHurtsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			if r.Context().Err() != nil {
				t.Error("the handler was cancelled with its first client")
			}
			fmt.Fprint(w, "whole")
		})
		ctx, leave := context.WithCancel(t.Context())
		go s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		synctest.Wait()
		time.AfterFunc(100*time.Millisecond, leave)
		for _, a := range first(crowd(s, 10)) {
			a.want(t, "HIT", "whole")
		}
		s.wantRuns(1)
	})
}

func first(answers []answer, _ time.Duration) []answer { return answers }

func TestAFollowerKeepsItsOwnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(3 * time.Second)
			fmt.Fprint(w, "x")
		})
		go s.get("/")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w := httptest.NewRecorder()
		began := time.Now()
		s.ServeHTTP(w, httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		if w.Code != http.StatusGatewayTimeout || time.Since(began) != time.Second {
			t.Errorf("got %d after %v", w.Code, time.Since(began))
		}
		time.Sleep(5 * time.Second)
		s.get("/").want(t, "HIT", "x")
	})
}

func TestAPanicReachesItsClientAndNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			if n.Add(1) == 1 {
				fmt.Fprint(w, "half a bo")
				panic(http.ErrAbortHandler)
			}
			fmt.Fprint(w, "whole")
		})
		panicked := make(chan any, 1)
		go func() {
			defer func() { panicked <- recover() }()
			s.get("/")
		}()
		synctest.Wait()
		for _, a := range first(crowd(s, 100)) {
			if a.text != "whole" {
				t.Fatalf("a follower got %q", a.text)
			}
		}
		if p := <-panicked; p != any(http.ErrAbortHandler) {
			t.Errorf("the leader saw %v", p)
		}
		s.wantRuns(2)
	})
}

func TestAHungHandlerDoesNotHoldItsKeyForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plain
		p.Limits.Fill, p.Limits.Wait = time.Hour, 5*time.Second
		var n atomic.Int64
		s := newSite(t, p, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 1 {
				<-r.Context().Done() // for an hour
				return
			}
			fmt.Fprint(w, "x")
		})
		go s.get("/")
		synctest.Wait()
		answers, took := crowd(s, 50)
		for _, a := range answers {
			if a.text != "x" {
				t.Fatalf("got %q", a.text)
			}
		}
		if took > 6*time.Second {
			t.Errorf("answered after %v", took)
		}
		s.wantRuns(2) // one more, not everybody
		time.Sleep(2 * time.Hour)
	})
}

func TestATruncatedBodyIsNeitherStoredNorShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		s := newSite(t, plain, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			w.Header().Set("Content-Length", "5")
			if n.Add(1) == 1 {
				w.Write([]byte("sho"))
				return
			}
			w.Write([]byte("whole"))
		})
		answers, _ := crowd(s, 20)
		short := 0
		for _, a := range answers {
			if a.text == "sho" {
				short++
			}
		}
		if short != 1 {
			t.Errorf("%d clients got the short body", short)
		}
		time.Sleep(10 * time.Second)
		s.get("/").want(t, "MISS", "whole")
		s.get("/").want(t, "HIT", "whole")
	})
}
