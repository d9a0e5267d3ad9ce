package admin

import (
	"crypto/rand"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// csp lets the page use its own style sheet, script, forms and data, and nothing else;
// data: is for its empty icon.
const csp = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard sets what every answer has, whoever gets it.
func guard(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", csp)
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	// Not no-referrer: with it browsers send Origin: null with a form, and by plain
	// HTTP, where they send no Sec-Fetch-Site, the console's own could not be told
	// from another site's (Fetch §3.1, "append a request Origin header").
	header.Set("Referrer-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
}

// deniedEvery is how often it is logged that somebody was turned away.
const deniedEvery = time.Minute

// denials remember when that was last logged.
type denials struct {
	mu   sync.Mutex
	last time.Time
	more int // since then
}

// due tells whether to log one now, and how many were not logged before it.
func (d *denials) due() (more int, now bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := time.Now()
	if !d.last.IsZero() && t.Sub(d.last) < deniedEvery {
		d.more++
		return 0, false
	}
	more, d.last, d.more = d.more, t, 0
	return more, true
}

// turnAway answers who was not let in. He does not learn what there is.
func (h *Handler) turnAway(w http.ResponseWriter, r *http.Request) {
	if more, now := h.denied.due(); now {
		h.o.Logger.LogAttrs(r.Context(), slog.LevelWarn, "admin: turned away", slog.String("remote", r.RemoteAddr), slog.Int("more", more))
	}
	if h.o.Challenge == "" { // RFC 9110 §15.5.2: a 401 has a challenge
		fail(w, &problem{http.StatusForbidden, "forbidden"})
		return
	}
	w.Header().Set("WWW-Authenticate", h.o.Challenge)
	fail(w, &problem{http.StatusUnauthorized, "unauthorized"})
}

// foreign tells whether another site had the browser send r.
func foreign(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

// tokenCookie and tokenField carry the same random token with each of the console's
// forms. Another site can send neither; and whichever instance gets them can compare
// them, without a secret in common or a memory.
const (
	tokenCookie = "reprise-admin"
	tokenField  = "token"
	tokenLength = 26 // of rand.Text
)

// token returns the token for the forms of a page, and sees to it that the browser has
// it in a cookie.
//
// The cookie names no Path. The default is the directory of the page's URL as the
// browser knows it (RFC 6265 §5.1.4), which is the mount, whatever prefixes were taken
// off or added on the way.
func token(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(tokenCookie); err == nil && len(c.Value) == tokenLength {
		return c.Value
	}
	value := rand.Text()
	http.SetCookie(w, &http.Cookie{Name: tokenCookie, Value: value, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil})
	return value
}

// hasToken tells whether form comes from a page of ours.
func hasToken(r *http.Request, form url.Values) bool {
	c, err := r.Cookie(tokenCookie)
	return err == nil && len(c.Value) == tokenLength && subtle.ConstantTimeCompare([]byte(c.Value), []byte(form.Get(tokenField))) == 1
}
