package rfc9111

import (
	"testing"
	"time"
)

func TestA5_ParseDate(t *testing.T) {
	want := time.Date(1994, time.November, 6, 8, 49, 37, 0, time.UTC)
	for _, c := range []struct {
		name, in string
		ok       bool
	}{
		{"IMF-fixdate", "Sun, 06 Nov 1994 08:49:37 GMT", true},
		{"RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", true},
		{"asctime", "Sun Nov  6 08:49:37 1994", true},
		{"asctime, day of two digits", "Sun Nov 06 08:49:37 1994", true},
		{"IMF-fixdate, lower case", "sun, 06 nov 1994 08:49:37 gmt", true},
		{"IMF-fixdate, gMT", "Sun, 06 Nov 1994 08:49:37 gMT", true},
		{"RFC 850, upper case", "SUNDAY, 06-NOV-94 08:49:37 GMT", true},
		{"asctime, mixed case", "sUN nOV  6 08:49:37 1994", true},
		{"wrong weekday", "Mon, 06 Nov 1994 08:49:37 GMT", true},

		{"doubled space", "Sun, 06  Nov 1994 08:49:37 GMT", false},
		{"doubled space behind the comma", "Sun,  06 Nov 1994 08:49:37 GMT", false},
		{"leading space", " Sun, 06 Nov 1994 08:49:37 GMT", false},
		{"trailing space", "Sun, 06 Nov 1994 08:49:37 GMT ", false},
		{"hour of one digit", "Sun, 06 Nov 1994 8:49:37 GMT", false},
		{"day of one digit", "Sun, 6 Nov 1994 08:49:37 GMT", false},
		{"year of two digits", "Sun, 06 Nov 94 08:49:37 GMT", false},
		{"no comma", "Sun 06 Nov 1994 08:49:37 GMT", false},
		{"dashes", "Sun, 06-Nov-1994 08:49:37 GMT", false},
		{"short weekday with RFC 850", "Sun, 06-Nov-94 08:49:37 GMT", false},
		{"long weekday with IMF-fixdate", "Sunday, 06 Nov 1994 08:49:37 GMT", false},
		{"dots in the time", "Sun, 06 Nov 1994 08.49.37 GMT", false},
		{"fraction", "Sun, 06 Nov 1994 08:49:37.5 GMT", false},
		{"UTC", "Sun, 06 Nov 1994 08:49:37 UTC", false},
		{"zone by number", "Sun, 06 Nov 1994 08:49:37 +0000", false},
		{"AEST with RFC 850", "Sunday, 06-Nov-94 08:49:37 EST", false},
		{"no zone", "Sun, 06 Nov 1994 08:49:37", false},
		{"asctime with zone", "Sun Nov  6 08:49:37 1994 GMT", false},
		{"asctime, day of one digit, one space", "Sun Nov 6 08:49:37 1994", false},
		{"no weekday", "Foo, 06 Nov 1994 08:49:37 GMT", false},
		{"letters of another alphabet", "ſunday, 06-Nov-94 08:49:37 GMT", false},
		{"no month", "Sun, 06 Foo 1994 08:49:37 GMT", false},
		{"day 0", "Sun, 00 Nov 1994 08:49:37 GMT", false},
		{"November 31", "Sun, 31 Nov 1994 08:49:37 GMT", false},
		{"hour 24", "Sun, 06 Nov 1994 24:00:00 GMT", false},
		{"minute 60", "Sun, 06 Nov 1994 08:60:37 GMT", false},
		{"second 60", "Sun, 06 Nov 1994 08:49:60 GMT", false},
		{"number", "0", false},
		{"empty", "", false},
		{"commas", ",,,,", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := ParseDate(c.in, received)
			if ok != c.ok {
				t.Fatalf("ParseDate(%q) = %v, %t, want %t", c.in, got, ok, c.ok)
			}
			if ok && !got.Equal(want) {
				t.Errorf("ParseDate(%q) = %v, want %v", c.in, got, want)
			}
		})
	}
}

// RFC 9110 §5.6.7: a two-digit year more than 50 years ahead is a past one.
func TestA5_YearOfTwoDigits(t *testing.T) {
	now := time.Date(2026, time.June, 15, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		in   string
		now  time.Time
		year int
	}{
		{"Sunday, 06-Nov-26 08:49:37 GMT", now, 2026},
		{"Sunday, 06-Nov-75 08:49:37 GMT", now, 2075},
		{"Monday, 15-Jun-76 12:00:00 GMT", now, 2076},
		{"Monday, 15-Jun-76 12:00:01 GMT", now, 1976},
		{"Friday, 06-Nov-76 08:49:37 GMT", now, 1976},
		{"Sunday, 06-Nov-77 08:49:37 GMT", now, 1977},
		{"Saturday, 06-Nov-99 08:49:37 GMT", now, 1999},
		{"Monday, 06-Nov-00 08:49:37 GMT", now, 2000},
		{"Monday, 06-Nov-10 08:49:37 GMT", now.AddDate(34, 0, 0), 2010}, // November 2110 is past June 2110
		{"Monday, 06-Nov-09 08:49:37 GMT", now.AddDate(34, 0, 0), 2109},
		{"Monday, 06-Nov-99 08:49:37 GMT", now.AddDate(34, 0, 0), 2099},
	} {
		got, ok := ParseDate(c.in, c.now)
		if !ok || got.Year() != c.year {
			t.Errorf("ParseDate(%q) in %d = %v, %t, want the year %d", c.in, c.now.Year(), got, ok, c.year)
		}
	}
}

func TestA5_LeapDay(t *testing.T) {
	for in, want := range map[string]bool{
		"Thu, 29 Feb 2024 00:00:00 GMT": true,
		"Wed, 29 Feb 2023 00:00:00 GMT": false,
		"Mon, 29 Feb 2100 00:00:00 GMT": false,
		"Thu Feb 29 00:00:00 2024":      true,
	} {
		if _, ok := ParseDate(in, received); ok != want {
			t.Errorf("ParseDate(%q) = %t, want %t", in, ok, want)
		}
	}
}
