// Package scenario has the conformance scenarios as tables, and plays them.
//
// A scenario is a history of one cache: requests in order, what the origin (the
// handler behind the cache) answers if it is asked, and what each client gets.
// Its name begins with the line of the specification that it proves.
//
//	{"A2 s-maxage counts before max-age", nil, steps{
//		miss(answers("Cache-Control: max-age=0, s-maxage=60")),
//		after(2*sec, hit(shows("Age: {1..3}"))),
//	}},
//
// A step begins with what is expected:
//
//	miss       the origin is asked, and its answer goes to the client
//	hit        what is stored is fresh; the origin is not asked
//	stale      what is stored is stale and goes out; the origin is not asked
//	refresh    the same, and the origin is asked behind the client
//	rescued    the origin is asked and fails; what is stored stands in
//	confirmed  the origin is asked on a condition and answers 304
//	bypass     the cache stands aside
//	refused    504: the client wants only what is stored, and nothing is
//	broken     the origin is asked and fails, and so does the client's connection
//
// and goes on with the parts that the scenario is about:
//
//	asks, to, by, sends                    the request: fields, target, method, body
//	answers, status, body, early, trailer  the origin's answer
//	flushes, file                          how it writes it: in two pieces, as a file server
//	panics, aborts, hangs                  how it fails
//	sees                                   what the origin finds in the request
//	gets, shows, reads, of                 what the client finds in the response
//
// Time passes after(d, step); of anyhow(step), X-Cache is not looked at.
//
// Unless a part says otherwise it is a GET of /page, the origin answers 200 with
// a body that names the step, a miss brings the client what the origin answers
// in this step, and whatever is stored brings what it answered when it was
// last asked for the whole.
//
// Fields are written as on the wire. In what is expected,
//
//	Name: value         this is its value; as many lines as there are of them
//	Name: {2..4} s      with a number in this range in this place
//	Name: one | other   either
//	Name                it is there
//	!Name               it is not
//
// A date is at(d), relative to the beginning of the scenario.
//
// Run plays a scenario in virtual time, RunLive in real time over sockets. All
// waits are some seconds, with a second's margin on each side.
package scenario
