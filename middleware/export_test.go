package middleware

// SetWellKnown sets after how many hits a response is well known.
func SetWellKnown(hits uint32) { wellKnown, askedOften = hits, min(hits, 4) }
