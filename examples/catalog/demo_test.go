package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestDemo(t *testing.T) {
	t.Setenv("REDIS_URL", "")
	cfg := config{addr: "127.0.0.1:0", products: testProducts, log: slog.New(slog.DiscardHandler)}
	var out bytes.Buffer
	if err := runDemo(t.Context(), cfg, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, want := range []string{"1 query for 500 requests", " STALE ", " 304 ", " 206 ", "PATCH /products/42", queriesMetric, "make demo-serve"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not say %q:\n%s", want, &out)
		}
	}
}

// A demo is worth as much as its ability to fail.
func TestDemoFailsWhereTheCacheDoes(t *testing.T) {
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			h, _, st := newTestAPI(t)
			switch s.name {
			case "update and purge":
				st.lose = true
			case "metrics":
				h = http.NotFoundHandler()
			default:
				h = uncached(h)
			}
			server := httptest.NewServer(h)
			defer server.Close()
			d := &demo{nodes: []*node{{url: server.URL}}, probe: newProbe(crowdSize), table: table{io.Discard}}
			if err := s.play(d, t.Context()); err == nil {
				t.Error("the scene saw nothing wrong")
			} else {
				t.Log(err)
			}
		})
	}
}

func TestCommandLine(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"", "unknown command"},
		{"dmeo", `unknown command "dmeo"`},
		{"demo now", `unexpected argument "now"`},
		{"demo -products 3", "-products is 3"},
		{"serve -addr nonsense -products 1000", "address nonsense"},
		{"serve -products 1000 -redis http://localhost", "redis"},
	} {
		err := run(t.Context(), strings.Fields(tc.args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("catalog %s: %v, want an error with %q", tc.args, err, tc.want)
		}
	}
}
