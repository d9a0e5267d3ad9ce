package observability

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// A Dashboard is what we read of Grafana's model.
type Dashboard struct {
	Title         string
	UID           string
	SchemaVersion int
	Panels        []Panel
	Templating    struct{ List []Variable }
}

// A Panel shows what its targets find; one of type "row" is a heading.
type Panel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ H, W, X, Y int }
	Datasource               struct{ Type, UID string }
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []struct {
		RefID        string
		Expr         string
		LegendFormat string
		Datasource   struct{ Type, UID string }
	}
}

// A Variable is chosen at the top of the dashboard.
type Variable struct {
	Name, Type string
	Definition string
	AllValue   string
	IncludeAll bool
}

func readDashboard(path string) (d Dashboard, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// A Query is one expression, and where it is from.
type Query struct {
	From   string // a panel's title, or a rule's name
	Expr   string
	Legend string // how to name a series: {{label}}
}

// rateInterval takes the place of $__rate_interval, which Grafana makes at least four
// times as long as the scrape interval.
const rateInterval = "10s"

// Queries returns the expressions of all panels, with "All" chosen everywhere.
func (d Dashboard) Queries() (list []Query) {
	chosen := []string{"$__rate_interval", rateInterval}
	for _, v := range d.Templating.List {
		if v.AllValue != "" {
			chosen = append(chosen, "$"+v.Name, v.AllValue)
		}
	}
	choose := strings.NewReplacer(chosen...)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			list = append(list, Query{p.Title, choose.Replace(target.Expr), target.LegendFormat})
		}
	}
	return list
}

var placeholder = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)

// name renders a legend.
func (q Query) name(labels map[string]string) string {
	return placeholder.ReplaceAllStringFunc(q.Legend, func(p string) string {
		return labels[placeholder.FindStringSubmatch(p)[1]]
	})
}
