package observability

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

// pause is how long Redis answers nobody, in the middle of the load.
const pause = 4 * time.Second

// Shortest is how long the load must last at least: four seconds to warm up, the
// pause, and four seconds to get over it.
const Shortest = 8*time.Second + pause

// Drive puts s under load for long, in the middle of which the Redis at addr stands
// still. It returns how many requests were answered.
func (s *Stack) Drive(ctx context.Context, redis string, long time.Duration) (int, error) {
	if long < Shortest {
		return 0, fmt.Errorf("%v is too short: %v at least", long, Shortest)
	}
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	frozen := make(chan error, 1)
	go func() {
		middle := time.NewTimer((long - pause) / 2)
		defer middle.Stop()
		select {
		case <-middle.C:
			frozen <- redistest.Command(redis, "CLIENT", "PAUSE", strconv.FormatInt(pause.Milliseconds(), 10), "ALL").Error()
		case <-ctx.Done():
			frozen <- context.Cause(ctx)
		}
	}()
	sent, err := Load(ctx, s.App)
	if paused := <-frozen; paused != nil {
		return sent, fmt.Errorf("pause of Redis: %w", paused)
	}
	return sent, err
}

// An Answer is what came of a Query.
type Answer struct {
	Query
	Series []Series
}

// Ask evaluates queries for every second from from to to.
func (s *Stack) Ask(ctx context.Context, queries []Query, from, to time.Time) ([]Answer, error) {
	answers := make([]Answer, len(queries))
	for i, q := range queries {
		series, err := s.api().query(ctx, q.Expr, from, to)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", q.From, q.Expr, err)
		}
		answers[i] = Answer{q, series}
	}
	return answers, nil
}

func (s *Stack) api() api { return api{s.Prometheus, http.DefaultClient} }

// Has tells whether a value of any series is as holds says. NaN is no value.
func (a Answer) Has(holds func(float64) bool) bool {
	for _, series := range a.Series {
		for _, p := range series.Points {
			if !math.IsNaN(p.Value) && holds(p.Value) {
				return true
			}
		}
	}
	return false
}

// String lists the series, with the last value of each and the largest.
func (a Answer) String() string {
	var parts []string
	for _, series := range a.Series {
		last, most := series.summary()
		parts = append(parts, fmt.Sprintf("%s %.4g (%.4g)", a.name(series.Labels), last, most))
	}
	if parts == nil {
		return "no data"
	}
	return strings.Join(parts, ", ")
}

func (s Series) summary() (last, most float64) {
	for i, p := range s.Points {
		if last = p.Value; i == 0 || p.Value > most || math.IsNaN(most) {
			most = p.Value
		}
	}
	return last, most
}

// RuleQueries returns what the rules look at: the expression of each that records, and
// of an alert each series that it compares with a number. An alert does nothing else.
func (s *Stack) RuleQueries(ctx context.Context) (list []Query, err error) {
	rules, err := s.api().rules(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		exprs := []string{r.Query}
		if r.Type == "alerting" {
			if exprs, err = compared(r.Query); err != nil {
				return nil, fmt.Errorf("%s: %w", r.Name, err)
			}
		}
		for _, expr := range exprs {
			list = append(list, Query{From: r.Name, Expr: expr, Legend: "{{policy}}{{store}} {{condition}}"})
		}
	}
	return list, nil
}

var comparison = regexp.MustCompile(`^([\w:]+) (?:==|<|>) [0-9.]+$`)

// compared returns what an alert compares with numbers: "a < 1 and b > 2".
func compared(alert string) (list []string, err error) {
	for part := range strings.SplitSeq(alert, " and ") {
		m := comparison.FindStringSubmatch(part)
		if m == nil {
			return nil, fmt.Errorf("%q compares no series with a number", part)
		}
		list = append(list, m[1])
	}
	return list, nil
}
