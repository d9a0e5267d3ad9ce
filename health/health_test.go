package health_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/reprise-go/reprise/health"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type pinger struct {
	store.Health
	err  error
	slow time.Duration
}

func (p pinger) Ping(ctx context.Context) (store.Health, error) {
	select {
	case <-time.After(p.slow):
		return p.Health, p.err
	case <-ctx.Done():
		return p.Health, ctx.Err()
	}
}

func ask(t *testing.T, h http.Handler) (int, health.Report) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	var r health.Report
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%v", w.Header())
	}
	return w.Code, r
}

func TestLive(t *testing.T) {
	if code, r := ask(t, health.Live()); code != 200 || r.Status != health.OK {
		t.Errorf("%d, %+v", code, r)
	}
}

func TestReady(t *testing.T) {
	st, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	good := func(context.Context) error { return nil }
	bad := func(context.Context) error { return errors.New("no database") }
	away := pinger{Health: store.Health{Degraded: store.NotConnected}, err: errors.New("dial")}
	for name, c := range map[string]struct {
		probe  health.Probe
		code   int
		status string
	}{
		"nothing":   {health.Probe{}, 200, health.OK},
		"memory":    {health.Probe{Stores: map[string]store.Pinger{"st": st}}, 200, health.OK},
		"away":      {health.Probe{Stores: map[string]store.Pinger{"st": away, "memory": st}}, 200, health.Degraded},
		"degraded":  {health.Probe{Stores: map[string]store.Pinger{"st": pinger{Health: store.Health{Degraded: store.BreakerOpen}}}}, 200, health.Degraded},
		"hung":      {health.Probe{Stores: map[string]store.Pinger{"st": pinger{slow: time.Hour}}}, 200, health.Degraded},
		"check":     {health.Probe{Checks: map[string]func(context.Context) error{"db": good}}, 200, health.OK},
		"bad check": {health.Probe{Checks: map[string]func(context.Context) error{"db": bad, "x": good}, Stores: map[string]store.Pinger{"st": away}}, 503, health.Down},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				code, r := ask(t, health.Ready(c.probe))
				if code != c.code || r.Status != c.status || len(r.Stores) != len(c.probe.Stores) || len(r.Checks) != len(c.probe.Checks) {
					t.Errorf("%d, %+v", code, r)
				}
				if time.Since(began) > time.Second {
					t.Errorf("took %v", time.Since(began))
				}
			})
		})
	}
	_, r := ask(t, health.Ready(health.Probe{Stores: map[string]store.Pinger{"a": away}, Checks: map[string]func(context.Context) error{"db": bad}}))
	if s := r.Stores["a"]; s.Degraded != store.NotConnected || s.Err != "dial" || s.Status != health.Degraded || r.Checks["db"] != "no database" {
		t.Errorf("%+v", r)
	}
}
