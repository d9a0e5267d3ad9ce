package metrics_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reprise-go/reprise/metrics"
	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
)

// A family is one metric as docs/metrics.md lists it, and as it is.
type family struct{ name, kind, labels string }

var quotedName = regexp.MustCompile(`fqName: "([^"]+)"`)

// described returns the names that c describes.
func described(c prometheus.Collector) []string {
	descs := make(chan *prometheus.Desc)
	go func() {
		c.Describe(descs)
		close(descs)
	}()
	var names []string
	for d := range descs {
		names = append(names, quotedName.FindStringSubmatch(d.String())[1])
	}
	slices.Sort(names)
	return names
}

// exposed returns the families that c exposes when everything has happened.
func exposed(t *testing.T) []family {
	c, registry := newCollector(t, metrics.Options{})
	exercise(c, "products", time.Millisecond)
	gathered, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []family
	for _, f := range gathered {
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		all = append(all, family{f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, " ")})
	}
	return all
}

func readDoc(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// rows returns the cells of all table rows of page whose first cell is code.
func rows(page string) [][]string {
	var all [][]string
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		all = append(all, cells)
	}
	return all
}

func TestDocListsTheMetrics(t *testing.T) {
	var listed []family
	for _, cells := range rows(readDoc(t)) {
		name := strings.Trim(cells[0], "`")
		if !strings.HasPrefix(name, "reprise_") {
			continue
		}
		if len(cells) != 5 {
			t.Fatalf("%s: %d cells, want name, type, labels, meaning, when to worry", name, len(cells))
		}
		labels := strings.FieldsFunc(cells[2], func(r rune) bool { return strings.ContainsRune("`, ", r) })
		slices.Sort(labels)
		listed = append(listed, family{name, cells[1], strings.Join(labels, " ")})
		for i, what := range []string{3: "meaning", 4: "when to worry"} {
			if i >= 3 && cells[i] == "" {
				t.Errorf("%s: no %s", name, what)
			}
		}
	}
	slices.SortFunc(listed, func(a, b family) int { return strings.Compare(a.name, b.name) })
	if want := exposed(t); !slices.Equal(listed, want) {
		t.Errorf("docs/metrics.md lists\n%v\nthe collector exposes\n%v", listed, want)
	}
}

func TestDocExplainsTheConditions(t *testing.T) {
	var listed []string
	_, after, _ := strings.Cut(readDoc(t), "## Conditions")
	section, _, _ := strings.Cut(after, "\n## ")
	for _, cells := range rows(section) {
		listed = append(listed, strings.Trim(cells[0], "`"))
	}
	if want := append([]string{"condition"}, append(store.Conditions(), "other")...); !slices.Equal(listed, want) {
		t.Errorf("docs/metrics.md explains the conditions\n%q\nthere are\n%q", listed, want)
	}
}

func TestDocExplainsTheReasons(t *testing.T) {
	listed := make(map[string]bool)
	for _, cells := range rows(readDoc(t)) {
		listed[strings.Trim(cells[0], "`")] = true
	}
	for why := middleware.ReasonNone + 1; why < middleware.NumReasons; why++ {
		if !listed[why.String()] {
			t.Errorf("docs/metrics.md does not explain reason %q", why)
		}
	}
}
