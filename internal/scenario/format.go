package scenario

import (
	"slices"
	"time"

	"github.com/reprise-go/reprise/middleware"
)

// A Scenario is a history of requests to one cache.
type Scenario struct {
	Name   string                   // begins with the line of the specification, as "A4 …"
	Policy func(*middleware.Policy) // changes the policy, which has nothing but a name; may be nil
	Steps  []Step
}

// A Step is one request: what the client asks, what the origin answers if it is
// asked, and what both find.
type Step struct {
	Wait time.Duration // before the request

	Method string   // "": GET
	Target string   // "": /page
	Fields []string // of the request, "Name: value"
	Body   string   // of the request

	Origin Origin
	Want   Want
}

// An Origin is what the handler behind the cache answers.
type Origin struct {
	Early   []Message // 1xx, before anything else
	Status  int       // 0: 200
	Fields  []string
	Body    string // "": one that names the step
	Trailer string // a field behind the body
	Flush   bool   // in the middle of the body
	File    bool   // Body is a file that http.ServeContent serves
	Fails   Failure
}

// A Failure is how a handler fails, other than by its status.
type Failure uint8

// The ways to fail.
const (
	Not    Failure = iota
	Panics         // before it writes anything
	Aborts         // when it has written its body, which is only a part
	Hangs          // until its time is up
)

// Want is what is expected of a step.
type Want struct {
	Origin Asked
	Sees   []string // fields of the request, as the origin gets it

	XCache string // "": not looked at
	Status int    // 0: the origin's, or that of what is stored
	Fields []string
	Body   string // "": the origin's, or that of what is stored
	Of     int    // the step whose answer is what is stored, counted from 1; 0: the last
	Broken bool   // the connection breaks
}

// Asked says whether the origin is asked in a step.
type Asked uint8

// Whether the origin is asked.
const (
	Never  Asked = iota
	First        // before the client has its answer
	Behind       // for the next clients
	Either       // it may be
)

// A Message is the head of a response.
type Message struct {
	Status int
	Fields []string
}

// All returns all scenarios.
func All() []Scenario {
	return slices.Concat(
		freshness, syntax, storing, using,
		vary, conditions, validating, ranges, directives,
		staleness, invalidating, targeted, messages,
		defaults, keys,
	)
}
