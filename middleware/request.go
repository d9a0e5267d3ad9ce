package middleware

import (
	"iter"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/reprise-go/reprise/keyfunc"
)

// facts are what one pass over a request's header tells.
type facts uint16

const (
	hasAuthorization facts = 1 << iota
	hasCookie
	hasRange
	hasConditional  // If-None-Match, If-Modified-Since
	hasPrecondition // If-Match, If-Unmodified-Since: the handler's to evaluate (RFC 9111 §4.3.2)
	hasControl      // Cache-Control or Pragma
	hasUpgrade
	hasOverride  // of the method
	wantsEvents  // Accept: text/event-stream
	hasReflected // a field of keyfunc.ReflectedHeaders
)

var reflected = func() map[string]bool {
	set := make(map[string]bool)
	for _, name := range keyfunc.ReflectedHeaders() {
		set[name] = true
	}
	return set
}()

func factsOf(h http.Header) facts {
	if f, ok := factsOfFew(h); ok {
		return f
	}
	return factsOfAll(h)
}

// few are the fields that simple clients send, the most usual first, and what they tell.
var few = [...]struct {
	name string
	facts
}{{"User-Agent", 0}, {"Accept-Encoding", 0}, {"Accept", wantsEvents}, {"If-None-Match", hasConditional}}

// factsOfFew is factsOf for a header that has nothing else. To look four fields up
// in a small map takes half as long as to iterate over it.
func factsOfFew(h http.Header) (f facts, ok bool) {
	left := len(h)
	for i := 0; 0 < left && left <= len(few)-i; i++ {
		values, has := h[few[i].name]
		if !has {
			continue
		}
		left--
		if few[i].facts != wantsEvents || acceptsEvents(values) {
			f |= few[i].facts
		}
	}
	return f, left == 0
}

func factsOfAll(h http.Header) (f facts) {
	for name, values := range h {
		switch name {
		case "": // no server sends it
		case "Authorization":
			f |= hasAuthorization
		case "Cookie":
			f |= hasCookie
		case "Range", "If-Range":
			f |= hasRange
		case "If-None-Match", "If-Modified-Since":
			f |= hasConditional
		case "If-Match", "If-Unmodified-Since":
			f |= hasPrecondition
		case "Cache-Control", "Pragma":
			f |= hasControl
		case "Upgrade":
			f |= hasUpgrade
		case "X-Http-Method-Override", "X-Http-Method", "X-Method-Override":
			f |= hasOverride
		case "Accept":
			if acceptsEvents(values) {
				f |= wantsEvents
			}
		default:
			if (name[0] == 'X' || name[0] == 'F' || name[0] == 'H') && reflected[name] {
				f |= hasReflected
			}
		}
	}
	return f
}

func acceptsEvents(accept []string) bool {
	const events = "text/event-stream"
	for _, line := range accept {
		if len(line) >= len(events) && strings.Contains(strings.ToLower(line), events) {
			return true
		}
	}
	return false
}

// look tells why the cache has no business with r, or ReasonNone and what counts
// of its header.
func (h *handler) look(r *http.Request) (f facts, why Reason) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return 0, ReasonMethod
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return 0, ReasonBody
	}
	return h.lookAtHeader(r)
}

// lookAtHeader is look for a request of any method. It asks the policy first: that
// needs no pass over the header.
func (h *handler) lookAtHeader(r *http.Request) (f facts, why Reason) {
	if h.policy.Condition != nil && !h.policy.Condition(r) {
		return 0, ReasonCondition
	}
	f = factsOf(r.Header)
	switch {
	case f&(hasUpgrade|hasOverride|wantsEvents) != 0:
		return f, f.bypasses()
	case f&hasCookie != 0 && h.hasCookie(r, h.policy.Cookies.Bypass):
		return f, ReasonCookie
	}
	return f, ReasonNone
}

func (f facts) bypasses() Reason {
	switch {
	case f&hasUpgrade != 0:
		return ReasonUpgrade
	case f&hasOverride != 0:
		return ReasonOverride
	default:
		return ReasonEventStream
	}
}

func (h *handler) hasCookie(r *http.Request, names []string) bool {
	for _, name := range names {
		for range cookies(r.Header, name) {
			return true
		}
	}
	return false
}

// cookies yields the values of the cookies called name, as they came: those
// that net/http's parser refuses reach handlers and origins all the same.
func cookies(h http.Header, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range h["Cookie"] {
			for pair := range strings.SplitSeq(line, ";") {
				n, value, _ := strings.Cut(pair, "=")
				if textproto.TrimString(n) == name && !yield(value) {
					return
				}
			}
		}
	}
}

// credentialed tells whether only a response with explicit freshness, shared on
// purpose, may answer a request with these facts.
func (h *handler) credentialed(f facts) bool {
	return f&hasAuthorization != 0 || f&hasCookie != 0 && !h.policy.Cookies.ignored()
}
