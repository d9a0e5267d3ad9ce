package attacks

import (
	"fmt"
	"net/http"
	"testing"
)

// fieldAttacks are about single fields of an answer that is otherwise for all.
func fieldAttacks() (all []attack) {
	for _, said := range []string{
		`Cache-Control: public, max-age=60, private="X-Echo"`,
		`Cache-Control: public, max-age=60, private="x-echo, X-Other"`,
		`Cache-Control: public, max-age=60, no-cache="X-Echo"`,
		`Cache-Control: public, max-age=60, no-cache=" x-echo "`,
		"Connection: X-Echo",
		"Connection: keep-alive, x-echo",
	} {
		all = append(all, attack{name: "a field that is for one alone by " + label([]string{said}), policy: minute, handler: ownField("X-Echo", said), flow: ownFieldOrNone("X-Echo")})
	}
	withheld := `Cache-Control: public, max-age=60, private="Set-Cookie"`
	return append(all,
		attack{name: "a field that is for one alone by " + label([]string{withheld}), policy: explicit, handler: ownField("Set-Cookie", withheld), flow: ownFieldOrNone("Set-Cookie")},
		attack{name: "a field of outer middleware", policy: minute, front: echo("X-Echo"), handler: public(), requests: users("X-User: %d", 5), stored: true},
		attack{name: "Set-Cookie of outer middleware", policy: minute, front: echo("Set-Cookie"), handler: public(), requests: users("X-User: %d", 5), stored: true},
		attack{name: "private by outer middleware", policy: minute, handler: account(), requests: users("X-User: %d", 5), unstored: true, front: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "private")
				next.ServeHTTP(w, r)
			})
		}},
	)
}

// echo is outer middleware that tells each client in a field who it is.
func echo(field string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(field, "sid="+r.Header.Get("X-User"))
			next.ServeHTTP(w, r)
		})
	}
}

// ownField answers everybody the same, but for one field.
func ownField(field string, said ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		say(w, said)
		w.Header().Set(field, "sid="+r.Header.Get("X-Id"))
		fmt.Fprint(w, "the page")
	}
}

// ownFieldOrNone asks for one URL, which is stored.
func ownFieldOrNone(field string) func(t *testing.T, s *site, id int) {
	return func(t *testing.T, s *site, id int) {
		var got *answer
		for i := range 3 {
			own := fmt.Sprintf("%d-%d", id, i)
			got = s.ask(t, get("/page", "X-Id: "+own))
			if said := got.header.Get(field); got.body != "the page" || said != "" && said != "sid="+own {
				t.Errorf("%s got %s: %q in %v", own, field, said, got)
			}
		}
		if got.xCache() != "HIT" {
			t.Errorf("not stored, which makes the attack an empty one: %v", got)
		}
	}
}
