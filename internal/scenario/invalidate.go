package scenario

// invalidating has requests that end what is stored (RFC 9111 §4.4).
var invalidating = []Scenario{
	changed("A21 POST", "POST", 200),
	changed("A21 PUT", "PUT", 204),
	changed("A21 PATCH", "PATCH", 200),
	changed("A21 DELETE", "DELETE", 200),
	changed("A21 a method nobody knows", "M-SEARCH", 200),
	changed("A21 methods have letter case", "get", 200),
	changed("A21 a 201", "POST", 201),
	changed("A21 a 303", "POST", 303),
	changed("A21 a 307", "PUT", 307),
	unchanged("A21 a 400", "POST", 400),
	unchanged("A21 a 404", "DELETE", 404),
	unchanged("A21 a 409", "PUT", 409),
	unchanged("A21 a 500", "POST", 500),
	unchanged("A21 a 503", "M-SEARCH", 503),
	unchanged("A21 OPTIONS is safe", "OPTIONS", 200),
	unchanged("A21 TRACE is safe", "TRACE", 200),

	{"A21 all variants go", nil, steps{
		miss(asks("X-Kind: a"), answers(minute, "Vary: X-Kind")),
		miss(asks("X-Kind: b"), answers(minute, "Vary: X-Kind")),
		bypass(by("POST"), sends("x")),
		miss(asks("X-Kind: a"), answers(minute, "Vary: X-Kind")),
		miss(asks("X-Kind: b"), answers(minute, "Vary: X-Kind")),
	}},
	{"A21 other pages stay", nil, steps{
		miss(answers(minute)),
		miss(to("/other"), answers(minute)),
		miss(to("/page?q=1"), answers(minute)),
		bypass(by("POST"), sends("x")),
		hit(to("/other"), of(2)),
		hit(to("/page?q=1"), of(3)),
	}},
	{"A21 what was asked for by the whole URL goes as well", nil, steps{
		miss(to("http://example.com/page"), answers(minute)),
		bypass(by("POST"), sends("x")),
		miss(to("http://example.com/page")),
	}},
	{"A21 what may be served stale goes as well", stalePolicy, steps{
		miss(answers(soon)),
		after(2*sec, bypass(by("POST"), sends("x"))),
		miss(status(503)),
	}},
	{"A21 what could be confirmed is not", nil, steps{
		miss(answers(minute, `ETag: "v1"`)),
		bypass(by("POST"), sends("x")),
		miss(sees("!If-None-Match")),
	}},
	{"A21 it can be stored again", nil, steps{
		miss(answers(minute)),
		bypass(by("POST"), sends("x")),
		miss(answers(minute)),
		hit(),
	}},
	{"A21 an origin that breaks changes nothing", nil, steps{
		miss(answers(minute)),
		broken(by("POST"), sends("x"), panics()),
		hit(of(1)),
	}},

	named("A21 Location", "Location: /other", true),
	named("A21 Content-Location", "Content-Location: /other", true),
	named("A21 Location with the whole URL", "Location: http://example.com/other", true),
	named("A21 Location with a fragment", "Location: /other#part", true),
	named("A21 Location relative to the page", "Location: other", true),
	named("A21 Location of another host", "Location: http://example.net/other", false),
	named("A21 Location of another port", "Location: http://example.com:8080/other", false),
	named("A21 Content-Location of another host", "Content-Location: //example.net/other", false),
	{"A21 Location of an error", nil, steps{
		miss(to("/other"), answers(minute)),
		bypass(by("POST"), sends("x"), status(500), answers("Location: /other")),
		hit(to("/other"), of(1)),
	}},
	{"A21 Location in the answer to a GET", nil, steps{
		miss(to("/other"), answers(minute)),
		miss(status(302), answers("Location: /other")),
		hit(to("/other"), of(1)),
	}},
}

// changed is a request after which what was stored is not used.
func changed(name, method string, code int) Scenario {
	return Scenario{name, nil, steps{
		miss(answers(minute)),
		bypass(by(method), sends("x"), status(code)),
		miss(),
	}}
}

// unchanged is one after which it is.
func unchanged(name, method string, code int) Scenario {
	return Scenario{name, nil, steps{
		miss(answers(minute)),
		bypass(by(method), sends("x"), status(code)),
		hit(of(1)),
	}}
}

// named is a POST whose answer names another page, which goes or stays.
func named(name, field string, goes bool) Scenario {
	last := hit(to("/other"), of(1))
	if goes {
		last = miss(to("/other"))
	}
	return Scenario{name, nil, steps{
		miss(to("/other"), answers(minute)),
		bypass(by("POST"), sends("x"), status(201), answers(field)),
		last,
	}}
}
