package observability

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// An api is the HTTP API of a Prometheus.
type api struct {
	url    string
	client *http.Client
}

// get asks for path and decodes the data of the answer into what into points to.
func (a api) get(ctx context.Context, path string, form url.Values, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path+"?"+form.Encode(), nil)
	if err != nil {
		return err
	}
	r.Close = true
	res, err := a.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %s: %w", path, res.Status, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", path, answer.Error)
	}
	return json.Unmarshal(answer.Data, into)
}

// A Series is one of those that an expression has found.
type Series struct {
	Labels map[string]string `json:"metric"`
	Points []Point           `json:"values"`
}

// A Point is a value, which may be NaN, and when that was.
type Point struct {
	At    time.Time
	Value float64
}

// UnmarshalJSON reads [seconds, "value"].
func (p *Point) UnmarshalJSON(text []byte) error {
	var pair [2]any
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	seconds, isNumber := pair[0].(float64)
	value, isText := pair[1].(string)
	if !isNumber || !isText {
		return fmt.Errorf("no point: %s", text)
	}
	p.At = time.UnixMilli(int64(seconds * 1000))
	var err error
	p.Value, err = strconv.ParseFloat(value, 64)
	return err
}

// query evaluates expr at every second from from to to, as a dashboard does.
func (a api) query(ctx context.Context, expr string, from, to time.Time) ([]Series, error) {
	var found struct{ Result []Series }
	err := a.get(ctx, "/api/v1/query_range", url.Values{
		"query": {expr}, "step": {"1s"}, "start": {stamp(from)}, "end": {stamp(to)},
	}, &found)
	return found.Result, err
}

func stamp(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

// A Rule is one that Prometheus evaluates.
type Rule struct {
	Name, Query, Type string // Type: "recording" or "alerting"
	Health, LastError string // Health: "ok", "err" or "unknown"
	State             string // of an alert: "inactive", "pending" or "firing"
}

func (a api) rules(ctx context.Context) (list []Rule, err error) {
	var found struct{ Groups []struct{ Rules []Rule } }
	err = a.get(ctx, "/api/v1/rules", nil, &found)
	for _, group := range found.Groups {
		list = append(list, group.Rules...)
	}
	return list, err
}

// names returns the names of all metrics that have been scraped or recorded.
func (a api) names(ctx context.Context) (list []string, err error) {
	err = a.get(ctx, "/api/v1/label/__name__/values", nil, &list)
	return list, err
}

// traces returns the ids of the exemplars of the series that expr names.
func (a api) traces(ctx context.Context, expr string, from, to time.Time) (list []string, err error) {
	var found []struct {
		Exemplars []struct{ Labels map[string]string }
	}
	err = a.get(ctx, "/api/v1/query_exemplars", url.Values{"query": {expr}, "start": {stamp(from)}, "end": {stamp(to)}}, &found)
	for _, series := range found {
		for _, e := range series.Exemplars {
			list = append(list, e.Labels["trace_id"])
		}
	}
	return list, err
}
