package scenario

import "time"

const languages = "Vary: Accept-Language"

// vary has which request fields select a stored response (RFC 9111 §4.1).
var vary = []Scenario{
	{"A14 variants live side by side", nil, steps{
		miss(asks("Accept-Language: de"), answers(minute, languages)),
		miss(asks("Accept-Language: en"), answers(minute, languages)),
		hit(asks("Accept-Language: de"), of(1)),
		hit(asks("Accept-Language: en"), of(2)),
	}},
	{"A14 absent matches absent alone", nil, steps{
		miss(answers(minute, languages)),
		hit(),
		miss(asks("Accept-Language: de"), answers(minute, languages)),
		hit(of(1)),
		hit(asks("Accept-Language: de"), of(3)),
	}},
	{"A14 a field that is not named does not select", nil, steps{
		miss(asks("Accept-Language: de", "X-Other: 1"), answers(minute, languages)),
		hit(asks("Accept-Language: de", "X-Other: 2")),
		hit(asks("Accept-Language: de")),
	}},
	{"A14 all that is named selects", nil, steps{
		miss(asks("X-A: 1", "X-B: 2", "X-C: 3"), answers(minute, "Vary: X-A, X-B,X-C")),
		hit(asks("X-C: 3", "X-B: 2", "X-A: 1")),
		miss(asks("X-A: 1", "X-B: 2", "X-C: 4")),
		miss(asks("X-A: 1", "X-B: 2")),
		miss(asks("X-A: 2", "X-B: 1", "X-C: 3")),
		hit(asks("X-A: 1", "X-B: 2", "X-C: 3"), of(1)),
	}},
	{"A14 two of three absent", nil, steps{
		miss(asks("X-B: 2"), answers(minute, "Vary: X-A, X-B, X-C")),
		hit(asks("X-B: 2")),
		miss(asks("X-A: 2")),
	}},
	{"A14 all lines of Vary count", nil, steps{
		miss(asks("X-A: 1", "X-B: 2"), answers(minute, "Vary: X-A", "Vary: X-B")),
		hit(asks("X-A: 1", "X-B: 2")),
		miss(asks("X-A: 1", "X-B: 3")),
		miss(asks("X-A: 2", "X-B: 2")),
	}},
	{"A14 names have no letter case", nil, steps{
		miss(asks("x-kind: 1"), answers(minute, "Vary: X-kInd")),
		hit(asks("X-KIND: 1")),
		miss(asks("X-Kind: 2")),
	}},
	{"A14 values have one", nil, steps{
		miss(asks("X-Kind: a"), answers(minute, "Vary: X-Kind")),
		miss(asks("X-Kind: A"), answers(minute, "Vary: X-Kind")),
	}},
	unused("A14 a star", minute, "Vary: *"),
	unused("A14 a star twice", minute, "Vary: *, *"),
	unused("A14 a star on two lines", minute, "Vary: *", "Vary: *"),
	unused("A14 a star behind an empty member", minute, "Vary: , *"),
	unused("A14 a star behind an empty line", minute, "Vary:", "Vary: *"),
	unused("A14 a star before a name", minute, "Vary: *, X-Kind"),
	unused("A14 a star behind a name", minute, "Vary: X-Kind, *"),
	unused("A14 a star behind a name on another line", minute, "Vary: X-Kind", "Vary: *"),
	unused("A14 what is no name may be anything", minute, "Vary: X-Kind X-Other"),
	reused("A14 an empty Vary selects nothing", minute, "Vary:"),
	{"A14 a star counts before the policy's TTL", ttl(time.Minute), steps{miss(answers("Vary: *")), miss()}},

	{"A14 spaces around members do not matter", nil, steps{
		miss(asks("X-Kind: a,b"), answers(minute, "Vary: X-Kind")),
		hit(asks("X-Kind: a ,  b")),
		hit(asks("X-Kind:   a,\tb  ")),
	}},
	{"A14 several lines are one list", nil, steps{
		miss(asks("X-Kind: a", "X-Kind: b"), answers(minute, "Vary: X-Kind")),
		hit(asks("X-Kind: a, b")),
		miss(asks("X-Kind: b, a")),
	}},
	{"A14 spaces within quotes do matter", nil, steps{
		miss(asks(`X-Kind: "a, b"`), answers(minute, "Vary: X-Kind")),
		miss(asks(`X-Kind: "a,b"`)),
	}},
	{"A14 languages in any order", nil, steps{
		miss(asks("Accept-Language: de, en"), answers(minute, languages)),
		hit(asks("Accept-Language: en, de")),
	}},
	{"A14 languages in any letter case", nil, steps{
		miss(asks("Accept-Language: en-gb"), answers(minute, languages)),
		hit(asks("Accept-Language: En-GB")),
	}},
	{"A14 languages with any spaces", nil, steps{
		miss(asks("Accept-Language: de;q=0.8,en"), answers(minute, languages)),
		hit(asks("Accept-Language:  en , de;q=0.8 ")),
	}},
	{"A14 languages with other weights are others", nil, steps{
		miss(asks("Accept-Language: de;q=0.8, en;q=0.2"), answers(minute, languages)),
		miss(asks("Accept-Language: de;q=0.2, en;q=0.8"), answers(minute, languages)),
	}},

	{"A14 a variant has its own lifetime", nil, steps{
		miss(asks("X-Kind: a"), answers("Cache-Control: max-age=1", "Vary: X-Kind")),
		miss(asks("X-Kind: b"), answers(minute, "Vary: X-Kind")),
		after(2*sec, miss(asks("X-Kind: a"))),
		hit(asks("X-Kind: b"), of(2)),
	}},
	{"A14 a variant has its own validator", nil, steps{
		miss(asks("X-Kind: a"), answers("Cache-Control: max-age=1", "Vary: X-Kind", `ETag: "a"`)),
		miss(asks("X-Kind: b"), answers("Cache-Control: max-age=1", "Vary: X-Kind", `ETag: "b"`)),
		after(2*sec, confirmed(asks("X-Kind: a"), sees(`If-None-Match: "a"`, "X-Kind: a"), of(1))),
		confirmed(asks("X-Kind: b"), sees(`If-None-Match: "b"`, "X-Kind: b"), of(2)),
	}},
	{"A14 answers that vary by turns keep their variants", nil, steps{
		miss(asks("X-A: 1"), answers(minute, "Vary: X-A")),
		miss(asks("X-A: 2", "X-B: 1"), answers(minute, "Vary: X-B")),
		miss(asks("X-A: 1"), answers(minute, "Vary: X-A")),
		hit(asks("X-A: 2", "X-B: 1"), of(2)),
		hit(asks("X-A: 1"), of(3)),
	}},
	{"A14 Vary goes out", nil, steps{
		miss(answers(minute, "Vary: X-A", "Vary: x-b")),
		hit(shows("Vary: X-A", "Vary: x-b")),
	}},
	{"A14 a HEAD selects as a GET does", nil, steps{
		miss(asks("X-Kind: a"), answers(minute, "Vary: X-Kind")),
		hit(by("HEAD"), asks("X-Kind: a")),
		miss(by("HEAD"), asks("X-Kind: b")),
	}},
}
