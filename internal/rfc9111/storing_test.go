package rfc9111

import "testing"

func TestA6_HeuristicStatus(t *testing.T) {
	want := map[int]bool{200: true, 203: true, 204: true, 300: true, 301: true, 308: true, 404: true, 405: true, 410: true, 414: true, 501: true}
	for status := 100; status < 1000; status++ {
		if HeuristicStatus(status) != want[status] {
			t.Errorf("HeuristicStatus(%d) = %t", status, !want[status])
		}
	}
}

func TestA9_StorableStatus(t *testing.T) {
	for status, want := range map[int]bool{
		100: false, 101: false, 103: false, 199: false, // not final
		200: true, 204: true, 299: true, 302: true, 404: true, 499: true, 500: true, 599: true,
		206: false, 304: false,
		428: false, 429: false, 431: false, 511: false, // RFC 6585
		0: false, 600: false, 999: false,
	} {
		if StorableStatus(status) != want {
			t.Errorf("StorableStatus(%d) = %t, want %t", status, !want, want)
		}
	}
}

func TestA9_Understood(t *testing.T) {
	for status, want := range map[int]bool{
		200: true, 201: true, 205: true, 300: true, 302: true, 307: true, 308: true, 400: true, 404: true, 417: true, 421: true, 422: true, 426: true, 500: true, 505: true,
		103: false, 206: false, 207: false, 299: false, 304: false, 306: false, 309: false, 399: false, 418: false, 423: false,
		429: false, 431: false, 499: false, 506: false, 511: false, 599: false, 600: false,
	} {
		if Understood(status) != want {
			t.Errorf("Understood(%d) = %t, want %t", status, !want, want)
		}
	}
}

func TestA10_MayShareAuthorized(t *testing.T) {
	for line, want := range map[string]bool{
		"":                         false,
		"max-age=60":               false,
		"public":                   true,
		"public=1":                 false,
		"s-maxage=60":              true,
		"must-revalidate":          true,
		"proxy-revalidate":         false,
		"no-cache":                 false,
		`ext="public", max-age=60`: false,
		"max-age=60, PUBLIC":       true,
		"stale-if-error=1, public": true,
	} {
		if MayShareAuthorized(ParseControl([]string{line})) != want {
			t.Errorf("MayShareAuthorized(%q) = %t, want %t", line, !want, want)
		}
	}
}

func TestA20_MayServeStale(t *testing.T) {
	for line, want := range map[string]bool{
		"":                                      true,
		"max-age=60":                            true,
		"must-revalidate":                       false,
		"proxy-revalidate":                      false,
		"no-cache":                              false,
		"s-maxage=60":                           false,
		`no-cache="a"`:                          true,
		"stale-while-revalidate=30, max-age=1":  true,
		"stale-while-revalidate=30, s-maxage=1": false,
		"stale-if-error=30, must-revalidate":    false,
	} {
		if MayServeStale(ParseControl([]string{line})) != want {
			t.Errorf("MayServeStale(%q) = %t, want %t", line, !want, want)
		}
	}
}
