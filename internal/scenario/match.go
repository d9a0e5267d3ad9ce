package scenario

import (
	"fmt"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var dates = regexp.MustCompile(`\{(-?\d+)s(?: ([^}]*))?\}`)

// dated puts dates in the place of what at made, for a scenario that began at start.
func dated(s string, start time.Time) string {
	return dates.ReplaceAllStringFunc(s, func(found string) string {
		parts := dates.FindStringSubmatch(found)
		seconds, _ := strconv.Atoi(parts[1])
		layout := parts[2]
		if layout == "" {
			layout = http.TimeFormat
		}
		return start.UTC().Add(time.Duration(seconds) * time.Second).Format(layout)
	})
}

// cutField splits "Name: value".
func cutField(field string) (name, value string, stated bool) {
	name, value, stated = strings.Cut(field, ":")
	return name, strings.TrimPrefix(value, " "), stated
}

// fieldFaults tells what of want is not so in h.
func fieldFaults(h http.Header, want []string, start time.Time) (faults []string) {
	values := make(map[string][]string)
	var names []string
	for _, field := range want {
		name, value, stated := cutField(field)
		absent, no := strings.CutPrefix(name, "!")
		key := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case no && len(h.Values(absent)) > 0:
			faults = append(faults, fmt.Sprintf("has %s: %q", absent, h.Values(absent)))
		case no:
		case !stated && len(h.Values(name)) == 0:
			faults = append(faults, "has no "+name)
		case stated:
			if values[key] == nil {
				names = append(names, key)
			}
			values[key] = append(values[key], dated(value, start))
		}
	}
	for _, name := range names {
		if !slices.EqualFunc(values[name], h[name], matches) {
			faults = append(faults, fmt.Sprintf("has %s: %q, want %q", name, h[name], values[name]))
		}
	}
	return faults
}

var numbers = regexp.MustCompile(`\{(-?\d+)\.\.(-?\d+)\}`)

// matches tells whether value is what pattern says, see the package's documentation.
func matches(pattern, value string) bool {
	return slices.ContainsFunc(strings.Split(pattern, " | "), func(p string) bool { return matchesOne(p, value) })
}

func matchesOne(pattern, value string) bool {
	ranges := numbers.FindAllStringSubmatch(pattern, -1)
	if ranges == nil {
		return pattern == value
	}
	parts := numbers.Split(pattern, -1)
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	found := regexp.MustCompile(`^` + strings.Join(parts, `(-?\d+)`) + `$`).FindStringSubmatch(value)
	if found == nil {
		return false
	}
	for i, r := range ranges {
		low, _ := strconv.Atoi(r[1])
		high, _ := strconv.Atoi(r[2])
		if n, err := strconv.Atoi(found[i+1]); err != nil || n < low || high < n {
			return false
		}
	}
	return true
}
