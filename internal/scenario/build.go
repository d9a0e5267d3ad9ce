package scenario

import (
	"fmt"
	"net/http"
	"time"

	"github.com/reprise-go/reprise/middleware"
)

type steps = []Step

// A part is something that a step says beside what is expected.
type part func(*Step)

const sec = time.Second

// minute is the answer of an origin whose freshness is not the point.
const minute = "Cache-Control: max-age=60"

func step(w Want, parts []part) Step {
	s := Step{Want: w}
	for _, p := range parts {
		p(&s)
	}
	return s
}

// What is expected.

func miss(parts ...part) Step   { return step(Want{Origin: First, XCache: "MISS"}, parts) }
func hit(parts ...part) Step    { return step(Want{XCache: "HIT"}, parts) }
func stale(parts ...part) Step  { return step(Want{XCache: "STALE"}, parts) }
func bypass(parts ...part) Step { return step(Want{Origin: First, XCache: "BYPASS"}, parts) }
func broken(parts ...part) Step { return step(Want{Origin: First, Broken: true}, parts) }

func refresh(parts ...part) Step { return step(Want{Origin: Behind, XCache: "STALE"}, parts) }
func rescued(parts ...part) Step { return step(Want{Origin: First, XCache: "STALE"}, parts) }

func refused(parts ...part) Step {
	return step(Want{Status: http.StatusGatewayTimeout}, parts)
}

func confirmed(parts ...part) Step {
	s := Step{Want: Want{Origin: First, XCache: "REVALIDATED"}, Origin: Origin{Status: http.StatusNotModified}}
	for _, p := range parts {
		p(&s)
	}
	return s
}

// after lets time pass before a step.
func after(d time.Duration, s Step) Step {
	s.Wait = d
	return s
}

// The request.

func asks(fields ...string) part {
	return func(s *Step) { s.Fields = append(s.Fields, fields...) }
}
func to(target string) part  { return func(s *Step) { s.Target = target } }
func by(method string) part  { return func(s *Step) { s.Method = method } }
func sends(body string) part { return func(s *Step) { s.Body = body } }

// The origin's answer.

func answers(fields ...string) part {
	return func(s *Step) { s.Origin.Fields = append(s.Origin.Fields, fields...) }
}
func status(code int) part      { return func(s *Step) { s.Origin.Status = code } }
func body(text string) part     { return func(s *Step) { s.Origin.Body = text } }
func trailer(field string) part { return func(s *Step) { s.Origin.Trailer = field } }
func flushes() part             { return func(s *Step) { s.Origin.Flush = true } }

func early(code int, fields ...string) part {
	return func(s *Step) { s.Origin.Early = append(s.Origin.Early, Message{code, fields}) }
}

// file lets the origin serve text as a file server does, with conditions and
// ranges answered.
func file(text string) part {
	return func(s *Step) { s.Origin.File, s.Origin.Body = true, text }
}

func panics() part { return func(s *Step) { s.Origin.Fails = Panics } }
func hangs() part  { return func(s *Step) { s.Origin.Fails = Hangs } }
func aborts(written string) part {
	return func(s *Step) { s.Origin.Fails, s.Origin.Body = Aborts, written }
}

// What both find.

func sees(fields ...string) part {
	return func(s *Step) { s.Want.Sees = append(s.Want.Sees, fields...) }
}

// gets is what the client gets, where the status is the point.
func gets(code int, fields ...string) part {
	return func(s *Step) { s.Want.Status, s.Want.Fields = code, append(s.Want.Fields, fields...) }
}

// shows is what the client gets, with the status of what is stored.
func shows(fields ...string) part {
	return func(s *Step) { s.Want.Fields = append(s.Want.Fields, fields...) }
}
func reads(text string) part { return func(s *Step) { s.Want.Body = text } }

// of says that what is stored is the answer of step n, counted from 1.
func of(n int) part { return func(s *Step) { s.Want.Of = n } }

// at is a date, d after the scenario began, as an IMF-fixdate or in another
// layout of package time.
func at(d time.Duration, layout ...string) string {
	if len(layout) > 0 {
		return fmt.Sprintf("{%ds %s}", d/time.Second, layout[0])
	}
	return fmt.Sprintf("{%ds}", d/time.Second)
}

// reused is a scenario in which the answer with these fields is a hit later.
func reused(name string, fields ...string) Scenario {
	return Scenario{name, nil, steps{miss(answers(fields...)), hit()}}
}

// unused is a scenario in which the answer with these fields is not.
func unused(name string, fields ...string) Scenario {
	return Scenario{name, nil, steps{miss(answers(fields...)), miss()}}
}

// ttl is a policy with implicit freshness, perhaps changed further.
func ttl(d time.Duration, changes ...func(*middleware.Policy)) func(*middleware.Policy) {
	return func(p *middleware.Policy) {
		p.TTL = d
		for _, change := range changes {
			change(p)
		}
	}
}
