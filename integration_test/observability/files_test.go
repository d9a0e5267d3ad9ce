package observability

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.yaml.in/yaml/v3"

	"github.com/reprise-go/reprise/metrics"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/swr"
)

// example reads a file of examples/observability.
func example(t *testing.T, name string) []byte {
	t.Helper()
	root, err := Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "examples", "observability", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// alertTests are the cases of rules_test.yml.
type alertTests struct {
	Tests []struct {
		Alerts []struct {
			Name string `yaml:"alertname"`
			Want []any  `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	}
}

// untested returns the alerts of rules that cases let go off never, or always.
func untested(t *testing.T, rules, cases []byte) (list []string) {
	t.Helper()
	var tests alertTests
	if err := yaml.Unmarshal(cases, &tests); err != nil {
		t.Fatal(err)
	}
	fires, silent := make(map[string]bool), make(map[string]bool)
	for _, test := range tests.Tests {
		for _, a := range test.Alerts {
			if len(a.Want) > 0 {
				fires[a.Name] = true
			} else {
				silent[a.Name] = true
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\s*- alert: (\w+)$`).FindAllSubmatch(rules, -1) {
		if name := string(m[1]); !fires[name] || !silent[name] {
			list = append(list, name)
		}
	}
	return list
}

func TestEveryAlertHasItsCases(t *testing.T) {
	rules, cases := example(t, "rules.yml"), example(t, "rules_test.yml")
	if got := untested(t, rules, cases); len(got) > 0 {
		t.Errorf("without a case in which they go off and one in which they do not: %q", got)
	}
	// The check can fail.
	rules = append(rules, "      - alert: RepriseNew\n"...)
	cases = bytes.ReplaceAll(cases, []byte("alertname: RepriseStoreDown"), []byte("alertname: RepriseOther"))
	if got := untested(t, rules, cases); !slices.Equal(got, []string{"RepriseStoreDown", "RepriseNew"}) {
		t.Errorf("got %q", got)
	}
}

// TestDashboard looks at what Grafana would not tell.
func TestDashboard(t *testing.T) {
	root, err := Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d, err := readDashboard(filepath.Join(root, "examples", "observability", "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	if d.Title == "" || d.UID == "" || d.SchemaVersion < 39 {
		t.Errorf("title %q, uid %q, schema %d", d.Title, d.UID, d.SchemaVersion)
	}
	var variables []string
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
		if v.Type == "query" && (!v.IncludeAll || v.AllValue == "" || v.Definition == "") {
			t.Errorf("variable %s has no All, or no query", v.Name)
		}
	}
	for _, want := range []string{"datasource", "instance", "policy"} {
		if !slices.Contains(variables, want) {
			t.Errorf("no variable %s", want)
		}
	}
	seen := make(map[int]bool)
	for i, p := range d.Panels {
		if seen[p.ID] || p.Title == "" {
			t.Errorf("panel %d: %q: no title, or another with this id", p.ID, p.Title)
		}
		seen[p.ID] = true
		for _, other := range d.Panels[:i] {
			if p.overlaps(other) {
				t.Errorf("%q is over %q", p.Title, other.Title)
			}
		}
		if p.Type != "row" {
			p.check(t, variables)
		}
	}
}

var used = regexp.MustCompile(`\$\{?(\w+)`)

func (p Panel) check(t *testing.T, variables []string) {
	t.Helper()
	if len(p.Description) < 40 || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" {
		t.Errorf("%q: it lacks a description, a unit, a target or the datasource", p.Title)
	}
	for _, target := range p.Targets {
		if target.Datasource.UID != "${datasource}" || target.LegendFormat == "" || !strings.Contains(target.Expr, `instance=~"$instance"`) {
			t.Errorf("%q %s: it lacks the datasource, a legend or the instances", p.Title, target.RefID)
		}
		for _, m := range used.FindAllStringSubmatch(target.Expr, -1) {
			if m[1] != "__rate_interval" && !slices.Contains(variables, m[1]) {
				t.Errorf("%q: there is no $%s", p.Title, m[1])
			}
		}
	}
}

func (p Panel) overlaps(other Panel) bool {
	a, b := p.GridPos, other.GridPos
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

// TestExposition has promtool read all metrics that there are, those of data caches
// and of a store of this process included.
func TestExposition(t *testing.T) {
	c, err := metrics.New(metrics.Options{})
	if err != nil {
		t.Fatal(err)
	}
	st, err := memstore.New(memstore.Options{Recorder: c})
	if err != nil {
		t.Fatal(err)
	}
	c.Watch("values", st)
	c.Policy("pages")
	c.Cache("values").Called(swr.Miss, false, time.Millisecond)
	registry := client.NewPedanticRegistry()
	registry.MustRegister(c)
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if out, err := lint(t, w.Body.String()); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
	if n := strings.Count(w.Body.String(), "# TYPE reprise_"); n != 22 {
		t.Errorf("%d metrics", n)
	}
}
