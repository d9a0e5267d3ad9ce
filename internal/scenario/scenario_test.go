package scenario

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every line of part A of the specification has a few scenarios, and every
// bullet of part B one.
func TestEveryLineHasItsScenarios(t *testing.T) {
	form := regexp.MustCompile(`^(A\d+|B [a-z-]+:?) [^ ].*[^ .]$`)
	count := make(map[string]int)
	for _, s := range All() {
		if !form.MatchString(s.Name) {
			t.Errorf("%q does not begin with a line of the specification", s.Name)
		}
		if count[s.Name]++; count[s.Name] > 1 {
			t.Errorf("%q: there are two of this name", s.Name)
		}
		line, _, _ := strings.Cut(s.Name, ":")
		if s.Name[0] == 'A' {
			line, _, _ = strings.Cut(s.Name, " ")
		}
		count[line]++
	}
	for n := 1; n <= 24; n++ {
		if line := fmt.Sprintf("A%d", n); count[line] < 4 {
			t.Errorf("%s has %d scenarios", line, count[line])
		}
	}
	for _, bullet := range []string{
		"condition", "ttl", "cookies", "statuses", "errors", "set-cookie", "credentials", "key", "bypass", "reflected", "vary",
		"fields", "limits", "reload", "refresh",
	} {
		if count["B "+bullet] == 0 {
			t.Errorf("B %s has no scenario", bullet)
		}
	}
}

// Live scenarios take real time.
func TestWaitsAreShort(t *testing.T) {
	for _, s := range All() {
		var total time.Duration
		for _, step := range s.Steps {
			total += step.Wait
		}
		if total > 8*time.Second {
			t.Errorf("%s waits for %v", s.Name, total)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		want           bool
	}{
		{"", "", true}, {"a", "a", true}, {"a", "b", false}, {"a.c", "abc", false},
		{"{2..4}", "2", true}, {"{2..4}", "4", true}, {"{2..4}", "5", false}, {"{2..4}", "x", false}, {"{2..4}", "", false},
		{"hit; ttl={-2..-1}", "hit; ttl=-1", true}, {"hit; ttl={-2..-1}", "hit; ttl=0", false},
		{"{1..2}-{3..4}", "1-4", true}, {"{1..2}-{3..4}", "1-5", false},
		{"a | b", "b", true}, {"a | b", "a | b", false},
	} {
		if got := matches(c.pattern, c.value); got != c.want {
			t.Errorf("matches(%q, %q) = %v", c.pattern, c.value, got)
		}
	}
}

func TestDates(t *testing.T) {
	start := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for field, want := range map[string]string{
		"Date: " + at(0):                   "Date: Wed, 04 Mar 2026 05:06:07 GMT",
		"Date: " + at(-time.Hour):          "Date: Wed, 04 Mar 2026 04:06:07 GMT",
		"Date: " + at(sec, time.ANSIC):     "Date: Wed Mar  4 05:06:08 2026",
		"Date: " + at(0) + " | " + at(sec): "Date: Wed, 04 Mar 2026 05:06:07 GMT | Wed, 04 Mar 2026 05:06:08 GMT",
		"Age: {2..3}":                      "Age: {2..3}",
	} {
		if got := dated(field, start); got != want {
			t.Errorf("dated(%q) = %q", field, got)
		}
	}
}

// The checks can fail: a good reply with one fault at a time.
func TestFaults(t *testing.T) {
	good := func() (reply, []*http.Request) {
		return reply{status: 200, body: "answer 1", header: http.Header{
			"X-Cache": {"HIT"}, "Cache-Status": {"reprise; hit; ttl=5"}, "Age": {"1"}, "X-Mine": {"a", "b"},
		}}, nil
	}
	step := hit(shows("X-Mine: a", "X-Mine: b", "Age: {0..1}", "!X-Other", "Cache-Status"))
	for _, c := range []struct {
		fault string
		make  func(*reply, *[]*http.Request)
	}{
		{"", func(*reply, *[]*http.Request) {}},
		{"the origin is asked 1 times, want 0", func(_ *reply, asked *[]*http.Request) { *asked = append(*asked, &http.Request{}) }},
		{"the connection: EOF", func(r *reply, _ *[]*http.Request) { r.err = fmt.Errorf("EOF") }},
		{"status 500, want 200", func(r *reply, _ *[]*http.Request) { r.status = 500 }},
		{`body "x", want "answer 1"`, func(r *reply, _ *[]*http.Request) { r.body = "x" }},
		{"X-Cache: STALE, want HIT", func(r *reply, _ *[]*http.Request) { r.header["X-Cache"] = []string{"STALE"} }},
		{`the response has X-Mine: ["a"], want ["a" "b"]`, func(r *reply, _ *[]*http.Request) { r.header["X-Mine"] = []string{"a"} }},
		{`the response has Age: ["2"], want ["{0..1}"]`, func(r *reply, _ *[]*http.Request) { r.header["Age"] = []string{"2"} }},
		{`the response has X-Other: ["1"]`, func(r *reply, _ *[]*http.Request) { r.header["X-Other"] = []string{"1"} }},
		{"the response has both hit and fwd: reprise; hit; fwd=stale", func(r *reply, _ *[]*http.Request) {
			r.header["Cache-Status"] = []string{"reprise; hit; fwd=stale"}
		}},
		{"the response has a malformed Cache-Status: reprise, hit", func(r *reply, _ *[]*http.Request) {
			r.header["Cache-Status"] = []string{"reprise, hit"}
		}},
		{"the response has X-Cache HIT and Cache-Status reprise; fwd=stale", func(r *reply, _ *[]*http.Request) {
			r.header["Cache-Status"] = []string{"reprise; fwd=stale"}
		}},
		{"1xx: [{103 []}], want []", func(r *reply, _ *[]*http.Request) { r.early = []Message{{103, nil}} }},
	} {
		got, asked := good()
		c.make(&got, &asked)
		faults := step.faults(got, kept{200, "answer 1"}, asked, time.Now())
		if c.fault == "" && faults != nil || c.fault != "" && !slices.Equal(faults, []string{c.fault}) {
			t.Errorf("faults = %q, want %q", faults, c.fault)
		}
	}
}

func TestSeeds(t *testing.T) {
	if n := len(Values("cache-control", time.Now())); n < 100 {
		t.Errorf("%d values of Cache-Control", n)
	}
	if n := len(Requests(time.Now())); n < 100 {
		t.Errorf("%d requests", n)
	}
}
