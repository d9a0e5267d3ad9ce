package rfc9111

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// received is when the responses of these tests arrive.
var received = time.Date(2030, time.March, 4, 5, 6, 7, 0, time.UTC)

func at(d time.Duration) string { return received.Add(d).Format(http.TimeFormat) }

// header makes an http.Header of "Name: value" lines.
func header(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

func TestLifetime(t *testing.T) {
	for _, c := range []struct {
		name     string
		h        http.Header
		life     time.Duration
		explicit bool
	}{
		{"A1 nothing stated", header("Date: " + at(0)), 0, false},
		{"A1 no-cache states no lifetime", header("Cache-Control: no-cache"), 0, false},
		{"A2 s-maxage first", header("Cache-Control: max-age=60, s-maxage=5", "Expires: "+at(time.Hour)), 5 * s, true},
		{"A2 s-maxage first, other order", header("Cache-Control: s-maxage=5", "Cache-Control: max-age=60"), 5 * s, true},
		{"A2 max-age before Expires", header("Cache-Control: max-age=60", "Expires: "+at(time.Hour)), 60 * s, true},
		{"A2 s-maxage=0 before all", header("Cache-Control: max-age=60, s-maxage=0"), 0, true},
		{"A3 max-age=0 is not unset", header("Cache-Control: max-age=0", "Expires: "+at(time.Hour)), 0, true},
		{"A3 invalid is stale, no fallback", header("Cache-Control: max-age=x", "Expires: "+at(time.Hour)), 0, true},
		{"A3 invalid s-maxage hides a good max-age", header("Cache-Control: s-maxage=x, max-age=60"), 0, true},
		{"A3 Expires lines that differ", header("Expires: "+at(time.Hour), "Expires: "+at(time.Minute)), 0, true},
		{"A3 Expires lines that agree", header("Expires: "+at(time.Hour), "Expires: "+at(time.Hour)), time.Hour, true},
		{"A5 Expires without Date", header("Expires: " + at(time.Hour)), time.Hour, true},
		{"A5 Expires less Date", header("Expires: "+at(time.Hour), "Date: "+at(-time.Minute)), time.Hour + time.Minute, true},
		{"A5 Expires less a Date ahead of us", header("Expires: "+at(time.Hour), "Date: "+at(time.Minute)), time.Hour - time.Minute, true},
		{"A5 Date unparseable", header("Expires: "+at(time.Hour), "Date: yesterday"), time.Hour, true},
		{"A5 Expires in the past", header("Expires: "+at(-time.Hour), "Date: "+at(0)), 0, true},
		{"A5 Expires 0", header("Expires: 0"), 0, true},
		{"A5 Expires -1", header("Expires: -1"), 0, true},
		{"A5 Expires empty", http.Header{"Expires": {""}}, 0, true},
		{"A5 Expires sloppy", header("Expires: " + strings.Replace(at(time.Hour), " ", "  ", 1)), 0, true},
		{"A5 Expires far away saturates", header("Expires: Fri, 31 Dec 9999 23:59:59 GMT"), Forever, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			life, explicit := Lifetime(c.h, ParseControl(c.h["Cache-Control"]), received)
			if life != c.life || explicit != c.explicit {
				t.Errorf("Lifetime(%v) = %v, %t, want %v, %t", c.h, life, explicit, c.life, c.explicit)
			}
		})
	}
}

func TestHeuristic(t *testing.T) {
	old := "Last-Modified: " + at(-1000*s)
	for _, c := range []struct {
		name   string
		status int
		h      http.Header
		life   time.Duration
		ok     bool
	}{
		{"A6 a tenth", 200, header(old), 100 * s, true},
		{"A6 a tenth up to Date", 200, header(old, "Date: "+at(-500*s)), 50 * s, true},
		{"A6 no Last-Modified", 200, header("Etag: x"), 0, false},
		{"A6 Last-Modified unreadable", 200, header("Last-Modified: x"), 0, false},
		{"A6 Last-Modified twice", 200, header(old, "Last-Modified: "+at(-s)), 0, false},
		{"A6 Last-Modified in the future", 200, header("Last-Modified: " + at(s)), 0, false},
		{"A6 explicit max-age wins", 200, header(old, "Cache-Control: max-age=1"), 0, false},
		{"A6 explicit s-maxage wins", 200, header(old, "Cache-Control: s-maxage=x"), 0, false},
		{"A6 invalid Expires wins", 200, header(old, "Expires: 0"), 0, false},
		{"A6 status not in the list", 201, header(old), 0, false},
		{"A6 another status with public", 201, header(old, "Cache-Control: public"), 100 * s, true},
		{"A6 500 with public", 500, header(old, "Cache-Control: public"), 100 * s, true},
		{"A6 206 not even with public", 206, header(old, "Cache-Control: public"), 0, false},
		{"A6 103 not even with public", 103, header(old, "Cache-Control: public"), 0, false},
		{"A6 400 without public", 400, header(old), 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			life, ok := Heuristic(c.status, c.h, ParseControl(c.h["Cache-Control"]), received)
			if life != c.life || ok != c.ok {
				t.Errorf("Heuristic(%d, %v) = %v, %t, want %v, %t", c.status, c.h, life, ok, c.life, c.ok)
			}
		})
	}
}

func TestA4_Age(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  time.Duration
	}{
		{"absent", nil, 0},
		{"number", []string{"60"}, 60 * s},
		{"leading zeros", []string{"0060"}, 60 * s},
		{"spaces about it", []string{" \t60 "}, 60 * s},
		{"first member", []string{"60, 120"}, 60 * s},
		{"first line", []string{"60", "120"}, 60 * s},
		{"first member bad", []string{"x, 120"}, 0},
		{"first line bad", []string{"x", "120"}, 0},
		{"first member empty", []string{", 120"}, 0},
		{"empty", []string{""}, 0},
		{"letters", []string{"abc"}, 0},
		{"negative", []string{"-60"}, 0},
		{"float", []string{"60.5"}, 0},
		{"quoted", []string{`"60"`}, 0},
		{"with a parameter", []string{"60;a=b"}, 0},
		{"huge", []string{"99999999999999999999999999"}, Forever},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Age(http.Header{"Age": c.lines}); got != c.want {
				t.Errorf("Age(%q) = %v, want %v", c.lines, got, c.want)
			}
		})
	}
}

func TestA4_InitialAge(t *testing.T) {
	for _, c := range []struct {
		name string
		h    http.Header
		took time.Duration // from the request to the response
		late time.Duration // how far received is behind its whole second
		want time.Duration
	}{
		{"nothing stated, no delay", header(), 0, 0, 0},
		{"delay alone", header(), 2 * s, 0, 2 * s},
		{"Age and delay", header("Age: 10"), 2 * s, 0, 12 * s},
		{"Date is older than Age", header("Age: 10", "Date: "+at(-60*s)), 2 * s, 0, 60 * s},
		{"Age is older than Date", header("Age: 100", "Date: "+at(-60*s)), 0, 0, 100 * s},
		{"Date ahead of us", header("Date: " + at(60*s)), 0, 0, 0},
		{"Date unreadable", header("Date: x"), 0, 0, 0},
		{"the fraction that Date lacks is no age", header("Date: " + at(0)), 0, 900 * time.Millisecond, 0},
		{"clock set back meanwhile", header("Age: 10"), -5 * s, 0, 10 * s},
		{"huge Age", header("Age: 99999999999999999"), 2 * s, 0, Forever},
		{"huge Date", header("Date: Mon, 01 Jan 0001 00:00:00 GMT"), 0, 0, Forever},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := received.Add(c.late)
			if got := InitialAge(c.h, now.Add(-c.took), now); got != c.want {
				t.Errorf("InitialAge(%v) = %v, want %v", c.h, got, c.want)
			}
		})
	}
}
