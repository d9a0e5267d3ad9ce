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
	if open {
		c.Has &^= MustUnderstand
	}
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

// refDigits reads a number of bytes; those that leave no room for a length are none.
func refDigits(s string) (int64, bool) {
	n, _ := new(big.Int).SetString(s, 10)
	if n.Cmp(big.NewInt(1<<63-1)) >= 0 {
		return 0, false
	}
	return n.Int64(), true
}

var (
	refRangeField   = regexp.MustCompile(`^[bB][yY][tT][eE][sS]=([0-9]*-[0-9]*)?(?:[ \t]*,[ \t]*([0-9]*-[0-9]*)?)*$`)
	refRangeSpec    = regexp.MustCompile(`([0-9]*)-([0-9]*)`)
	refContentRange = regexp.MustCompile(`^[bB][yY][tT][eE][sS] ([0-9]+)-([0-9]+)/([0-9]+|\*)$`)
)

// refRange reads a Range field by the grammar of the list rule.
func refRange(line string) (r ByteRange, ok bool) {
	line = strings.Trim(line, " \t")
	specs := refRangeSpec.FindAllStringSubmatch(line, -1)
	if !refRangeField.MatchString(line) || len(specs) != 1 {
		return ByteRange{}, false
	}
	first, last := specs[0][1], specs[0][2]
	r = ByteRange{-1, -1}
	ok1, ok2 := true, true
	if first != "" {
		r.First, ok1 = refDigits(first)
	}
	if last != "" {
		r.Last, ok2 = refDigits(last)
	}
	if !ok1 || !ok2 || first == "" && last == "" || first != "" && last != "" && r.First > r.Last {
		return ByteRange{}, false
	}
	return r, true
}

// refParts reads a Content-Range field.
func refParts(line string) (s Span, size int64, ok bool) {
	m := refContentRange.FindStringSubmatch(strings.Trim(line, " \t"))
	if m == nil {
		return Span{}, 0, false
	}
	first, ok1 := refDigits(m[1])
	last, ok2 := refDigits(m[2])
	size, ok3 := int64(-1), true
	if m[3] != "*" {
		size, ok3 = refDigits(m[3])
		ok3 = ok3 && last < size
	}
	if !ok1 || !ok2 || !ok3 || first > last {
		return Span{}, 0, false
	}
	return Span{first, last}, size, true
}

// A bitmap says of each byte of a small representation whether it is meant.
type bitmap [64]bool

func refBitmap(s Span) (b bitmap) {
	for i := s.First; i <= s.Last; i++ {
		b[i] = true
	}
	return b
}

// span returns the bytes of b if they are in one piece.
func (b bitmap) span() (s Span, ok bool) {
	pieces := 0
	for i, in := range b {
		if in && (i == 0 || !b[i-1]) {
			pieces++
			s.First = int64(i)
		}
		if in {
			s.Last = int64(i)
		}
	}
	if pieces != 1 {
		return Span{}, false
	}
	return s, true
}

// refOf marks the bytes that r selects of size bytes, one by one.
func refOf(r ByteRange, size int64) (b bitmap) {
	for i := range size {
		switch {
		case r.First == -1:
			b[i] = r.Last >= size-i // how many there are from here to the end
		case r.Last == -1:
			b[i] = i >= r.First
		default:
			b[i] = r.First <= i && i <= r.Last
		}
	}
	return b
}

// refMissing takes what is there off what is wanted: what is left, and what it
// then is together with what is there, must be in one piece.
func refMissing(have, want Span) (Span, bool) {
	h, left := refBitmap(have), refBitmap(want)
	all := h
	for i := range left {
		left[i] = left[i] && !h[i]
		all[i] = all[i] || left[i]
	}
	s, ok := left.span()
	_, whole := all.span()
	_, some := h.span()
	if !ok || !whole || !some {
		return Span{}, false
	}
	return s, true
}

var refHop = regexp.MustCompile(`^(Connection|Keep-Alive|Proxy-Connection|Te|Transfer-Encoding|Upgrade|Proxy-Authenticate|Proxy-Authentication-Info|Proxy-Authorization|Trailer)$`)

// refPasses tells whether a field of h is neither hop-by-hop nor named by Connection.
func refPasses(name string, h http.Header) bool {
	for _, option := range strings.Split(strings.Join(h["Connection"], ","), ",") {
		if option = strings.Trim(option, " \t"); option != "" && http.CanonicalHeaderKey(option) == name {
			return false
		}
	}
	return !refHop.MatchString(name)
}

// refCodings collects what each name's members say before it judges.
func refCodings(lines []string) (accepts func(coding string) bool, refusesIdentity bool) {
	weights := map[string][]string{}
	for _, member := range strings.Split(strings.Join(lines, ","), ",") {
		if m := refMember.FindStringSubmatch(strings.Trim(member, " \t")); m != nil {
			name := refASCIILower(m[1])
			if name == "x-gzip" || name == "x-compress" {
				name = name[2:]
			}
			weights[name] = append(weights[name], m[2])
		}
	}
	no := func(name string) bool { return slices.ContainsFunc(weights[name], refZero.MatchString) }
	named := func(name string) string {
		if len(weights[name]) == 0 {
			return "*"
		}
		return name
	}
	accepts = func(coding string) bool {
		list := weights[named(coding)]
		for _, weight := range list {
			if refZero.MatchString(weight) || !refWeight.MatchString(weight) {
				return false
			}
		}
		return len(list) > 0
	}
	return accepts, no(named("identity"))
}

var (
	refZero   = regexp.MustCompile(`^[ \t]*;[ \t]*[qQ]=0(\.0{0,3})?$`)
	refWeight = regexp.MustCompile(`^([ \t]*;[ \t]*[qQ]=(0(\.[0-9]{0,3})?|1(\.0{0,3})?))?$`)
)

// The grammar of RFC 9651 §3, as far as regular expressions go.
const (
	refKey  = `[a-z*][-_.*a-z0-9]*`
	refBare = `(?:-?[0-9]{1,12}\.[0-9]{1,3}|-?[0-9]{1,15}|"(?:[ !#-\[\]-~]|\\["\\])*"|[A-Za-z*][-!#$%&'*+.^_` + "`" + `|~:/0-9A-Za-z]*|` +
		`:[A-Za-z0-9+/=]*:|\?[01]|@-?[0-9]{1,15}|%"(?:[ !#$&-~]|%[0-9a-f]{2})*")`
	refParams = `(?:; *` + refKey + `(?:=` + refBare + `)?)*`
	refInner  = `\( *(?:` + refBare + refParams + `(?: +` + refBare + refParams + `)* *)?\)`
)

var (
	refEntry   = regexp.MustCompile(`^(` + refKey + `)(?:=(` + refInner + `|` + refBare + `))?(` + refParams + `)(?:[ \t]*(,)[ \t]*|[ \t]*$)`)
	refInteger = regexp.MustCompile(`^(?:[0-9]+|-0+)$`)
)

// refTargeted reads a targeted field member by member. It takes the contents of
// byte sequences and display strings for good.
func refTargeted(lines []string) (c Control, ok bool) {
	rest, last := strings.TrimLeft(strings.Join(lines, ", "), " "), map[string]string{}
	for more := true; more; {
		m := refEntry.FindStringSubmatch(rest)
		if m == nil {
			return Control{}, false
		}
		rest, more = rest[len(m[0]):], m[4] == ","
		if last[m[1]] = m[2]; m[2] == "" {
			last[m[1]] = "?1"
		}
	}
	names := map[string]bool{}
	for name, value := range last {
		number, flag, qualified := refDirective(name)
		switch {
		case number != 0:
			if !refInteger.MatchString(value) {
				return Control{}, false
			}
			v, _ := refSeconds(strings.TrimPrefix(value, "-"))
			c.Has |= number
			*map[Directives]*time.Duration{MaxAge: &c.MaxAge, SMaxAge: &c.SMaxAge, StaleWhileRevalidate: &c.StaleWhileRevalidate, StaleIfError: &c.StaleIfError}[number] = v
		case flag == 0 || value == "?0":
		case value == "?1":
			c.Has |= flag
		case qualified != 0 && value[0] == '"':
			c.Has |= refQualified("="+value, flag, qualified, names)
		default:
			return Control{}, false
		}
	}
	for name := range names {
		c.Fields = append(c.Fields, name)
	}
	slices.Sort(c.Fields)
	return c, true
}

func refDirective(name string) (number, flag, qualified Directives) {
	number = map[string]Directives{"max-age": MaxAge, "s-maxage": SMaxAge, "stale-while-revalidate": StaleWhileRevalidate, "stale-if-error": StaleIfError}[name]
	flag = map[string]Directives{"no-store": NoStore, "no-cache": NoCache, "private": Private, "public": Public, "must-revalidate": MustRevalidate,
		"proxy-revalidate": ProxyRevalidate, "must-understand": MustUnderstand, "no-transform": NoTransform, "immutable": Immutable}[name]
	qualified = map[string]Directives{"no-cache": NoCacheFields, "private": PrivateFields}[name]
	return number, flag, qualified
}

// refStrong tells whether s is a strong entity tag.
func refStrong(s string) bool {
	if len(s) < 2 || s[:1] != "\"" || s[len(s)-1:] != "\"" {
		return false
	}
	for _, c := range []byte(s[1 : len(s)-1]) {
		if c != 0x21 && (c < 0x23 || c > 0x7e) && c < 0x80 {
			return false
		}
	}
	return true
}
