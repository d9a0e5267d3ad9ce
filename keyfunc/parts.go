package keyfunc

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Parts says what a key holds. The zero Parts is [Default]. See the package's
// documentation for what may be left out.
type Parts struct {
	_ [0]func()

	// IgnoreHost makes all hosts one.
	IgnoreHost bool
	// IgnoreQuery makes the key that of the URL without its query.
	IgnoreQuery bool
	// OnlyQuery makes the key that of the URL with no other parameters than
	// these, whose names are given decoded; empty: all count. A query that
	// Default keeps as it came counts whole.
	OnlyQuery []string
	// TrustHeaders are fields of ReflectedHeaders that are not part of the key.
	TrustHeaders []string

	// Headers are fields whose lines are part of the key as they are. Where
	// the response names the field in Vary this is not needed, nor as good:
	// Vary is compared in a normal form.
	Headers []string
	// Cookies are names of cookies whose values are part of the key.
	Cookies []string
	// Text is part of every key: of two functions with different Text, no keys
	// are the same.
	Text string
	// Extra returns a text that is part of the key, such as a tenant that outer
	// middleware found; nil: none. An error makes the request bypass the cache.
	Extra ExtraFunc
}

// An ExtraFunc reads what else a key has to hold from r. It must not change r,
// and may be called from any goroutine.
type ExtraFunc func(r *http.Request) (string, error)

// A PartError is one thing that is wrong with a Parts.
type PartError struct {
	Field  string // of Parts
	Value  string
	Reason string
}

func (e *PartError) Error() string {
	return fmt.Sprintf("keyfunc: %s: %q: %s", e.Field, e.Value, e.Reason)
}

// New returns the key function that p describes. Its error holds everything
// that is wrong with p, as joined *PartErrors. What the caller does to p's
// slices later changes nothing.
func New(p Parts) (Func, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	c := &recipe{
		ignoreHost:  p.IgnoreHost,
		ignoreQuery: p.IgnoreQuery,
		onlyQuery:   slices.Clone(p.OnlyQuery),
		reflected:   allReflected,
		headers:     canonical(p.Headers),
		cookies:     sorted(p.Cookies),
		extra:       p.Extra,
	}
	for _, name := range slices.Concat(canonical(p.TrustHeaders), c.headers) {
		c.reflected &^= reflectedSets[name]
	}
	if p.Text != "" {
		c.text = string(appendNamed(nil, "text", p.Text))
	}
	return c.appendKey, nil
}

// Must is for variables: it returns f, and panics on an error.
//
//	var byLocale = keyfunc.Must(keyfunc.New(keyfunc.Parts{Cookies: []string{"locale"}}))
func Must(f Func, err error) Func {
	if err != nil {
		panic(err)
	}
	return f
}

func (p Parts) validate() error {
	var errs []error
	check := func(ok bool, field, value, reason string) {
		if !ok {
			errs = append(errs, &PartError{field, value, reason})
		}
	}
	if p.IgnoreQuery {
		check(len(p.OnlyQuery) == 0, "OnlyQuery", strings.Join(p.OnlyQuery, ", "), "IgnoreQuery excludes it")
	}
	headers := canonical(p.Headers)
	for _, name := range canonical(p.TrustHeaders) {
		check(reflectedSets[name] != 0, "TrustHeaders", name, "not one of ReflectedHeaders")
		check(!slices.Contains(headers, name), "TrustHeaders", name, "also in Headers")
	}
	for _, name := range headers {
		check(isToken(name), "Headers", name, "not a field name")
		check(name != "Host", "Headers", name, "net/http has it in Request.Host; it is in the key unless IgnoreHost")
	}
	for _, name := range p.Cookies {
		check(isToken(name), "Cookies", name, "not a cookie name")
	}
	return errors.Join(errs...)
}

// isToken tells whether s is a token (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// canonical returns names in the form in which http.Header has them, sorted.
func canonical(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = http.CanonicalHeaderKey(name)
	}
	return sorted(out)
}

// sorted makes the key independent of the order in which names were given.
func sorted(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return slices.Compact(out)
}
