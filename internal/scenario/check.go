package scenario

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// faults tells what of a step is not as expected.
func (s *Step) faults(got reply, want kept, asked []*http.Request, start time.Time) (faults []string) {
	note := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	switch n := min(int(s.Want.Origin), 1); {
	case s.Want.Origin == Either:
	case len(asked) != n:
		note("the origin is asked %d times, want %d", len(asked), n)
	case n == 1:
		for _, fault := range fieldFaults(asked[0].Header, s.Want.Sees, start) {
			note("the origin's request %s", fault)
		}
	}
	if s.Want.Broken || got.err != nil {
		if got.err == nil || !s.Want.Broken {
			note("the connection: %v", got.err)
		}
		return faults
	}
	if got.status != want.status {
		note("status %d, want %d", got.status, want.status)
	}
	if text, known := s.text(want); known && got.body != text {
		note("body %q, want %q", got.body, text)
	}
	if x := got.header.Get("X-Cache"); s.Want.XCache != "" && x != s.Want.XCache {
		note("X-Cache: %s, want %s", x, s.Want.XCache)
	}
	for _, fault := range slices.Concat(fieldFaults(got.header, s.Want.Fields, start), statusFaults(got.header)) {
		note("the response %s", fault)
	}
	return slices.Concat(faults, s.surroundings(got, start))
}

// text is the body that the client should get, if that is known.
func (s *Step) text(want kept) (text string, known bool) {
	switch {
	case s.Want.Body != "":
		return s.Want.Body, true
	case s.Method == http.MethodHead, want.status == http.StatusNotModified, want.status == http.StatusNoContent:
		return "", true
	case s.Want.Status != 0 && s.Want.Status != http.StatusOK:
		return "", false // of this status for its own sake
	}
	return want.body, true
}

// surroundings checks what comes before and behind a response: 1xx and trailers
// are the origin's if it is asked for this client, and nobody's otherwise.
func (s *Step) surroundings(got reply, start time.Time) (faults []string) {
	var early []Message
	if s.Want.Origin == First {
		early = s.Origin.Early
		if s.Origin.Trailer != "" {
			faults = fieldFaults(got.header, []string{s.Origin.Trailer}, start)
		}
	}
	equal := func(a, b Message) bool {
		return a.Status == b.Status && slices.Equal(slices.Sorted(slices.Values(a.Fields)), slices.Sorted(slices.Values(b.Fields)))
	}
	if !slices.EqualFunc(got.early, early, equal) {
		faults = append(faults, fmt.Sprintf("1xx: %v, want %v", got.early, early))
	}
	return faults
}

// member is one member of Cache-Status as we write it: a token with parameters
// that are tokens, numbers, or nothing (RFC 9211 §2, RFC 9651 §3).
var member = regexp.MustCompile(`^[A-Za-z*][!#$%&'*+.^_|~:/0-9A-Za-z-]*(; [a-z*][a-z0-9_.*-]*(=(-?[0-9]+|[A-Za-z*][!#$%&'*+.^_|~:/0-9A-Za-z-]*))?)*$`)

// statusFaults tells what is wrong with Cache-Status in every response: it has
// one member of ours, the last, which agrees with X-Cache; hit and fwd exclude each other; and
// what was stored has an Age.
func statusFaults(h http.Header) (faults []string) {
	lines := h["Cache-Status"]
	if len(lines) == 0 {
		return []string{"has no Cache-Status"}
	}
	ours := lines[len(lines)-1]
	isHit, isForward := strings.Contains(ours, "; hit"), strings.Contains(ours, "; fwd=")
	x := h.Get("X-Cache")
	switch {
	case !member.MatchString(ours), !strings.HasPrefix(ours, "reprise; "):
		faults = append(faults, "has a malformed Cache-Status: "+ours)
	case isHit && isForward:
		faults = append(faults, "has both hit and fwd: "+ours)
	case (x == "HIT") && !isHit, (x == "MISS" || x == "BYPASS" || x == "REVALIDATED") && isHit:
		faults = append(faults, fmt.Sprintf("has X-Cache %s and Cache-Status %s", x, ours))
	}
	if _, err := fmt.Sscanf(h.Get("Age"), "%d", new(int)); isHit && err != nil {
		faults = append(faults, fmt.Sprintf("has Age %q", h.Get("Age")))
	}
	return faults
}
