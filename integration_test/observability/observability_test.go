package observability

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

func TestMain(m *testing.M) { redistest.Main(m) }

// scraped is how long Prometheus may take to see what has happened, on a machine that
// has other things to do.
const scraped = 10 * time.Second

// A drive is a Stack that has been under load.
type drive struct {
	*Stack
	began time.Time
}

// answered evaluates q over the whole drive, until holds holds.
func (d drive) answered(t *testing.T, q Query, what string, holds func(Answer) bool) {
	t.Helper()
	var last Answer
	for end := time.Now().Add(scraped); ; time.Sleep(100 * time.Millisecond) {
		answers, err := d.Ask(t.Context(), []Query{q}, d.began, time.Now())
		if err != nil {
			t.Error(err)
			return
		}
		if last = answers[0]; holds(last) {
			return
		}
		if time.Now().After(end) {
			t.Errorf("%s: %s\nwant %s, got %v", q.From, q.Expr, what, last)
			return
		}
	}
}

func positive(a Answer) bool     { return a.Has(func(v float64) bool { return v > 0 }) }
func isNumber(a Answer) bool     { return a.Has(func(float64) bool { return true }) }
func (d drive) queries() []Query { return d.Dashboard.Queries() }

// TestObservability drives examples/chi on a Redis that stands still for a while, and
// asks a real Prometheus all that the dashboard and the rules ask.
func TestObservability(t *testing.T) {
	redis := redistest.Process(t).Addr()
	stack, err := Start(t.Context(), redis)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Close(); err != nil {
			t.Error(err)
		}
	})
	d := drive{stack, time.Now()}
	sent, err := stack.Drive(t.Context(), redis, 20*time.Second)
	if err != nil {
		t.Errorf("the load: %v", err)
	}
	t.Logf("%d requests answered", sent)
	t.Run("panels", d.panels)
	t.Run("documentation", d.documentation)
	t.Run("rules", d.rules)
	t.Run("alerts", d.alerts)
	t.Run("names", d.names)
	t.Run("exemplars", d.exemplars)
	t.Run("exposition", d.exposition)
	t.Run("a question without an answer", d.noAnswer)
}

// panels: each expression has shown something else than 0. What stays 0 under this
// load has a reason.
func (d drive) panels(t *testing.T) {
	zero := map[string]string{"Evictions": "nothing is ever dropped: the budget is 64 MiB"}
	for _, q := range d.queries() {
		if zero[q.From] != "" {
			d.answered(t, q, "a number", isNumber)
			continue
		}
		d.answered(t, q, "more than 0, once", positive)
	}
	if n := len(d.queries()); n < 20 {
		t.Errorf("only %d expressions", n)
	}
}

// documentation: the queries that docs/metrics.md recommends have answers as well. This
// Prometheus scrapes no native histograms.
func (d drive) documentation(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(d.examples, "../../docs/metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```promql\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	asked := 0
	for _, b := range blocks {
		if strings.Contains(b[1], "histogram_quantile") && !strings.Contains(b[1], "_bucket") {
			continue
		}
		asked++
		d.answered(t, Query{From: "docs/metrics.md", Expr: b[1]}, "more than 0, once", positive)
	}
	if asked < 6 || len(blocks) > asked+1 {
		t.Errorf("%d of %d queries asked", asked, len(blocks))
	}
}

// rules: all are evaluated, what they record is there, and what alerts compare.
func (d drive) rules(t *testing.T) {
	rules, err := d.api().rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if r.Health != "ok" || r.LastError != "" {
			t.Errorf("%s: %s %s", r.Name, r.Health, r.LastError)
		}
		if r.Type == "recording" {
			d.answered(t, Query{From: "recorded", Expr: r.Name}, "a number", isNumber)
		}
	}
	compared, err := d.RuleQueries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range compared {
		d.answered(t, q, "a number", isNumber)
	}
	if len(compared) < len(rules) {
		t.Errorf("%d rules, and only %d expressions", len(rules), len(compared))
	}
}

// alerts: those that this load is a reason for have been on their way or gone off, and
// one that it is none for has not.
func (d drive) alerts(t *testing.T) {
	seen := func(name string) Query {
		return Query{name, fmt.Sprintf("ALERTS{alertname=%q}", name), "{{alertstate}}"}
	}
	for _, name := range []string{
		"RepriseStoreDown", "RepriseStoreDegraded", "RepriseStoreFailingOpen", "RepriseRefreshesFail", "RepriseStaleOnError",
		"ReprisePurgesFail", "ReprisePurgeLag",
	} {
		d.answered(t, seen(name), "that it goes off", positive)
	}
	answers, err := d.Ask(t.Context(), []Query{seen("RepriseMemoryAtBudget")}, d.began, time.Now())
	if err != nil || isNumber(answers[0]) {
		t.Errorf("memory is not at its budget: %v %v", answers, err)
	}
}

var metricName = regexp.MustCompile(`\b(?:\w+:)?reprise_\w+(?::\w+)?`)

// names: whatever the dashboard and the rules name is exposed, or recorded.
func (d drive) names(t *testing.T) {
	there, err := d.api().names(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rules, err := d.api().rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, q := range d.queries() {
		text = append(text, q.Expr)
	}
	for _, v := range d.Dashboard.Templating.List {
		text = append(text, v.Definition)
	}
	for _, r := range rules {
		text = append(text, r.Query)
	}
	named := metricName.FindAllString(strings.Join(text, "\n"), -1)
	for _, name := range named {
		if !slices.Contains(there, name) {
			t.Errorf("there is no %s", name)
		}
	}
	if len(named) < 30 {
		t.Errorf("only %d names found", len(named))
	}
}

// exemplars: requests that were timed can be found by their ids.
func (d drive) exemplars(t *testing.T) {
	var traces []string
	redistest.Eventually(t, scraped, "exemplars", func() bool {
		var err error
		traces, err = d.api().traces(t.Context(), `reprise_request_duration_seconds_bucket{outcome="miss"}`, d.began, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return len(traces) > 0
	})
	for _, id := range traces {
		if !regexp.MustCompile(`^\S+/\w+-\d{6,}$`).MatchString(id) { // what chi makes
			t.Errorf("exemplar %q", id)
		}
	}
}

// exposition: promtool has nothing to find fault with.
func (d drive) exposition(t *testing.T) {
	page := get(t, d.App+"/metrics")
	if out, err := lint(t, page); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
	if out, err := lint(t, page+"# TYPE reprise_things counter\nreprise_things 1\n"); err == nil {
		t.Errorf("promtool finds no fault with a counter of a wrong name, without help: %s", out)
	}
}

// noAnswer: the checks above can fail.
func (d drive) noAnswer(t *testing.T) {
	answers, err := d.Ask(t.Context(), []Query{
		{Expr: `reprise_request_total`},
		{Expr: `rate(reprise_requests_total{policy="nobody's"}[10s])`},
		{Expr: `0 * reprise_store_up / 0`},
	}, d.began, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		if isNumber(a) || positive(a) {
			t.Errorf("%s has an answer: %v", a.Expr, a)
		}
	}
	if _, err := d.Ask(t.Context(), []Query{{Expr: `rate(`}}, d.began, time.Now()); err == nil {
		t.Error("nonsense has an answer")
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", url, res.Status, err)
	}
	return string(text)
}

// tool runs promtool in dir.
func tool(t *testing.T, dir string, input string, args ...string) ([]byte, error) {
	t.Helper()
	path, err := promtool.Find(t.Context(), say)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(input)
	return cmd.CombinedOutput()
}

func lint(t *testing.T, page string) ([]byte, error) {
	t.Helper()
	return tool(t, "", page, "check", "metrics")
}

// TestRules has promtool check the files of the example, and run the rules' tests.
func TestRules(t *testing.T) {
	root, err := Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "examples", "observability")
	for _, args := range [][]string{
		{"check", "config", "prometheus.yml"}, {"check", "rules", "rules.yml"}, {"test", "rules", "rules_test.yml"},
	} {
		if out, err := tool(t, dir, "", args...); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	// The tests can fail: a threshold that is another.
	changed := t.TempDir()
	for _, name := range []string{"rules.yml", "rules_test.yml"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.Replace(text, []byte("ratio_rate5m < 0.8"), []byte("ratio_rate5m < 0.2"), 1)
		if err := os.WriteFile(filepath.Join(changed, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var failed *exec.ExitError
	if out, err := tool(t, changed, "", "test", "rules", "rules_test.yml"); !errors.As(err, &failed) {
		t.Errorf("the tests of the rules pass with a rule that is another: %v\n%s", err, out)
	}
}

func TestCompared(t *testing.T) {
	if got, err := compared(`a:b < 0.8 and c > 1`); err != nil || !slices.Equal(got, []string{"a:b", "c"}) {
		t.Errorf("%q, %v", got, err)
	}
	for _, alert := range []string{"a", "a < b", "rate(a[5m]) > 1", "a > 1 or b > 1", ""} {
		if got, err := compared(alert); err == nil {
			t.Errorf("%q compares %q", alert, got)
		}
	}
}
