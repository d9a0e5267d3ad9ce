package rfc9111

import (
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The slow and simple twins that the fuzz targets hold the package against.
// They share no code with it, except for net/http and regexp.

// refList splits lines into members; open tells that a line ends in a quoted string.
func refList(lines []string) (list []string, open bool) {
	for _, line := range lines {
		var member []byte
		state := "plain"
		for _, c := range []byte(line) {
			switch {
			case state == "plain" && c == ',':
				list, member = append(list, string(member)), nil
				continue
			case state == "plain" && c == '"', state == "escaped":
				state = "quoted"
			case state == "quoted" && c == '"':
				state = "plain"
			case state == "quoted" && c == '\\':
				state = "escaped"
			}
			member = append(member, c)
		}
		list = append(list, string(member))
		open = open || state != "plain"
	}
	for i := range list {
		list[i] = strings.Trim(list[i], " \t")
	}
	return list, open
}

const token = "[-!#$%&'*+.^_`|~0-9A-Za-z]"

var (
	refMember = regexp.MustCompile(`(?s)^(` + token + `+)(.*)$`)
	refToken  = regexp.MustCompile(`^` + token + `+$`)
	refNumber = regexp.MustCompile(`^(?:"([0-9]+)"|([0-9]+))$`)
	refNames  = regexp.MustCompile(`(?s)^="(.*)"$`)
)

// refSeconds reads delta-seconds with a big.Int.
func refSeconds(s string) (time.Duration, bool) {
	m := refNumber.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, _ := new(big.Int).SetString(m[1]+m[2], 10)
	if limit := big.NewInt(1 << 31); n.Cmp(limit) > 0 {
		n = limit
	}
	return time.Duration(n.Int64()) * time.Second, true
}

// refControl collects all arguments of each directive before it judges them.
func refControl(lines []string) Control {
	list, open := refList(lines)
	args := map[string][]string{}
	for _, member := range list {
		if m := refMember.FindStringSubmatch(member); m != nil {
			name := strings.ToLower(m[1])
			args[name] = append(args[name], m[2])
		}
	}
	var c Control
	if open {
		c.Has |= NoStore
	}
	for name, d := range map[string]Directives{"no-store": NoStore, "must-revalidate": MustRevalidate, "proxy-revalidate": ProxyRevalidate,
		"no-transform": NoTransform, "only-if-cached": OnlyIfCached} {
		if len(args[name]) > 0 {
			c.Has |= d
		}
	}
	for name, d := range map[string]Directives{"public": Public, "immutable": Immutable, "must-understand": MustUnderstand} {
		if slices.Contains(args[name], "") {
			c.Has |= d
		}
	}
	numbers := func(name string, d Directives, bare time.Duration) (all []time.Duration) {
		for _, arg := range args[name] {
			c.Has |= d
			v := bare
			if arg != "" {
				v, _ = refSeconds(strings.TrimPrefix(arg, "="))
				if arg[0] != '=' {
					v = 0
				}
			}
			all = append(all, v)
		}
		slices.Sort(all)
		return all
	}
	agreed := func(all []time.Duration) time.Duration {
		if len(all) == 0 || all[0] != all[len(all)-1] {
			return 0
		}
		return all[0]
	}
	first := func(all []time.Duration) time.Duration { return append(all, 0)[0] }
	c.MaxAge = agreed(numbers("max-age", MaxAge, 0))
	c.SMaxAge = agreed(numbers("s-maxage", SMaxAge, 0))
	c.StaleWhileRevalidate = first(numbers("stale-while-revalidate", StaleWhileRevalidate, 0))
	c.StaleIfError = first(numbers("stale-if-error", StaleIfError, 0))
	c.MaxStale = first(numbers("max-stale", MaxStale, 1<<31*time.Second))
	c.MinFresh = append([]time.Duration{0}, numbers("min-fresh", MinFresh, 0)...)[len(args["min-fresh"])]
	names := map[string]bool{}
	for _, q := range []struct {
		name          string
		whole, fields Directives
	}{{"no-cache", NoCache, NoCacheFields}, {"private", Private, PrivateFields}} {
		for _, arg := range args[q.name] {
			c.Has |= refQualified(arg, q.whole, q.fields, names)
		}
	}
	for name := range names {
		c.Fields = append(c.Fields, name)
	}
	slices.Sort(c.Fields)
	return c
}

func refQualified(arg string, whole, fields Directives, names map[string]bool) Directives {
	m := refNames.FindStringSubmatch(arg)
	if m == nil {
		return whole
	}
	d := whole
	for _, name := range strings.Split(m[1], ",") {
		switch name = strings.Trim(name, " \t"); {
		case name == "":
		case !refToken.MatchString(name):
			return whole
		default:
			d = fields
			names[http.CanonicalHeaderKey(name)] = true
		}
	}
	return d
}

var refDates = []*regexp.Regexp{
	regexp.MustCompile(`^(mon|tue|wed|thu|fri|sat|sun), (\d\d) ([a-z]{3}) (\d{4}) (\d\d:\d\d:\d\d) gmt$`),
	regexp.MustCompile(`^(monday|tuesday|wednesday|thursday|friday|saturday|sunday), (\d\d)-([a-z]{3})-(\d\d) (\d\d:\d\d:\d\d) gmt$`),
	regexp.MustCompile(`^(mon|tue|wed|thu|fri|sat|sun) ([a-z]{3}) ([ \d]\d) (\d\d:\d\d:\d\d) (\d{4})$`),
}

// refDate reads a date with a regular expression and time.Parse, and tries the
// years of a two-digit one from the latest that may be meant.
func refDate(s string, now time.Time) (time.Time, bool) {
	for _, c := range s {
		if c > 127 {
			return time.Time{}, false // ToLower makes ASCII of some
		}
	}
	s = strings.ToLower(s)
	parse := func(year, rest string) (time.Time, bool) {
		t, err := time.Parse("2006 _2 Jan 15:04:05", year+" "+rest)
		return t, err == nil
	}
	if m := refDates[0].FindStringSubmatch(s); m != nil {
		return parse(m[4], m[2]+" "+m[3]+" "+m[5])
	}
	if m := refDates[2].FindStringSubmatch(s); m != nil {
		return parse(m[5], m[3]+" "+m[2]+" "+m[4])
	}
	m := refDates[1].FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	limit := now.UTC().AddDate(50, 0, 0)
	for year := limit.Year(); ; year-- {
		if text := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006"); strings.HasSuffix(text, m[4]) {
			if t, ok := parse(text, m[2]+" "+m[3]+" "+m[5]); !ok || !t.After(limit) {
				return t, ok
			}
		}
	}
}

// refSelecting returns what of one field selects a variant: whether it is
// there, and its members.
func refSelecting(name string, lines []string) (present bool, list []string) {
	if len(lines) == 0 {
		return false, nil
	}
	if name != "Accept-Language" {
		list, _ = refList(lines)
		return true, list
	}
	for _, member := range strings.Split(strings.Join(lines, ","), ",") {
		member = strings.NewReplacer(" ", "", "\t", "").Replace(member)
		if member != "" {
			list = append(list, refASCIILower(member))
		}
	}
	slices.Sort(list)
	return true, slices.Compact(list)
}

func refASCIILower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 32
		}
	}
	return string(b)
}
