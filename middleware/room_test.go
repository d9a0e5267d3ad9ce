package middleware

import (
	"fmt"
	"net/http"
	"reflect"
	"testing"
)

// TestClonesAreApart: what is cloned into one room is as http.Header.Clone has it,
// and to add to it, or to write into it, changes nothing else.
func TestClonesAreApart(t *testing.T) {
	many := http.Header{}
	for i := range 2 * len(room{}.lines) {
		many[fmt.Sprint("X-", i)] = []string{"a", "b"}
	}
	headers := []http.Header{nil, {}, {"Date": nil, "Empty": {}, "One": {"1"}}, {"Two": {"1", "2"}, "One": {"1"}}, many, {"Last": {"1"}}}
	r := new(room)
	clones := make([]http.Header, len(headers))
	for i, h := range headers {
		if clones[i] = r.clone(h); !reflect.DeepEqual(clones[i], h.Clone()) {
			t.Errorf("%v for %v", clones[i], h)
		}
	}
	for i, clone := range clones {
		for name := range clone {
			clone.Add(name, "more")
			clone[name][0] = "other"
		}
		for j := i + 1; j < len(clones); j++ {
			if !reflect.DeepEqual(clones[j], headers[j].Clone()) {
				t.Errorf("%v changed with %v", clones[j], clone)
			}
		}
		if !reflect.DeepEqual(headers[i], headers[i].Clone()) || headers[i].Get("One") == "other" {
			t.Errorf("%v changed with its clone", headers[i])
		}
	}
}
