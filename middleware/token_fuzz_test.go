package middleware

import (
	"encoding/base64"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/reprise-go/reprise/store"
)

// told remembers which tokens it was shown.
type told struct{ tokens []string }

func (s *told) After(tokens ...string) store.Getter {
	s.tokens = append(s.tokens, tokens...)
	return nil
}

// FuzzTokenCookie: whatever the lines of a Cookie field hold, ours goes and all
// else stays byte for byte; and no token counts but one that was signed here.
func FuzzTokenCookie(f *testing.F) {
	for _, line := range []string{
		"", "a=1", "reprise-token", "reprise-token=", " reprise-token =x", "reprise-token=x; reprise-token=y", "a=1; reprise-token=x; b=2",
		"a=1 ;reprise-token=x ; b=2 ", "a=\"x; reprise-token=y\"", ";;reprise-token=x;;", "; a;", "a=reprise-token ;b= 2", "Reprise-Token=x", "reprise-token2=x",
		"my-reprise-token=1", "\u00a0reprise-token=x", "a=1\u00a0; reprise-token=x", "\u0085;reprise-token", "reprise-token\n\na=1", " a=1\nreprise-token", "a=reprise-token \n reprise-token=x",
		"\treprise-token=x\t;\ta=\x00", "reprise-token=#; a=1", "a=1; reprise-token=# ;b=2\nreprise-token=#", "reprise-token=\"#\"", "reprise-token=#.", "reprise-token=x#",
	} {
		f.Add(line, "token")
		f.Add("x="+line+"\n"+line, "")
	}
	f.Fuzz(func(t *testing.T, field, token string) {
		st := &told{}
		c := &Cache{tokens: &tokens{store: st, key: []byte("sixteen bytes or")}}
		w := httptest.NewRecorder()
		token = base64.RawURLEncoding.EncodeToString([]byte(token)) // as redisstore's are
		c.SetToken(w, token)
		pair, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
		_, signed, _ := strings.Cut(pair, "=")
		field = strings.ReplaceAll(field, "#", signed) // so that some are genuine
		lines := strings.Split(field, "\n")

		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = slices.Clone(lines)
		r.Header["Accept"] = []string{field}
		got, _ := c.tokens.read(r)
		want, sent := refWithoutToken(lines)
		if !slices.Equal(got.Header["Cookie"], want) {
			t.Errorf("of %q\n is left %q\n    want %q", lines, got.Header["Cookie"], want)
		}
		if _, has := got.Header["Cookie"]; has != (len(want) > 0) {
			t.Errorf("of %q is left an empty field", lines)
		}
		if !slices.Equal(r.Header["Cookie"], lines) || !slices.Equal(got.Header["Accept"], []string{field}) {
			t.Errorf("%q and %q are the request's own fields now", r.Header["Cookie"], got.Header["Accept"])
		}
		for _, cookie := range got.Cookies() {
			if cookie.Name == tokenCookie {
				t.Errorf("of %q a handler sees %v", lines, cookie)
			}
		}
		var genuine []string
		for _, value := range sent[:min(len(sent), maxTokens)] {
			if signed != "" && value == signed {
				name, _, _ := strings.Cut(signed, ".")
				genuine = append(genuine, name)
			}
		}
		if !slices.Equal(st.tokens, genuine) {
			t.Errorf("of %q count %q, want %q", lines, st.tokens, genuine)
		}
	})
}

var refOurs = regexp.MustCompile(`^[ \t\r\n]*` + tokenCookie + `[ \t\r\n]*(?:=(?s:(.*)))?$`)

// refWithoutToken takes our cookies out of lines, one semicolon at a time, and
// returns their values. A line that was nothing else goes; one that had others
// has no white space at its ends any more, as net/http trims a field.
func refWithoutToken(lines []string) (left, values []string) {
	for _, line := range lines {
		var others []string
		ours := false
		for _, pair := range strings.Split(line, ";") {
			if m := refOurs.FindStringSubmatch(pair); m != nil {
				ours = true
				values = append(values, strings.Trim(m[1], " \t\r\n"))
			} else {
				others = append(others, pair)
			}
		}
		switch rest := strings.Join(others, ";"); {
		case !ours:
			left = append(left, line)
		case strings.Trim(rest, "; \t\r\n") != "":
			left = append(left, strings.Trim(rest, " \t\r\n"))
		}
	}
	return left, values
}
