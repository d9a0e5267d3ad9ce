package consistency

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
)

// A resource is one hot key, with the way in which it is cached and purged.
type resource struct {
	name     string
	policy   reprise.Policy
	variants []string // values of the field that selects; nil: it has none
	tag      string   // to purge by; "": by its key
	soft     bool
	etag     string // constant: the handler confirms whatever it once made
	fails    int    // percent of the handler's runs
	url      bool   // purged by PurgeURL
	typed    *typed // not a response but a value of the data cache; nil: a response
}

func (r *resource) path() string { return "/" + r.name }

// short is a lifetime that ends often in a trial.
const short = 20 * time.Millisecond

// resources returns one of each kind.
func resources() []*resource {
	long := reprise.Policy{TTL: time.Minute, Jitter: -1}
	swr := reprise.Policy{TTL: short, StaleWhileRevalidate: time.Minute, Jitter: -1}
	confirmed := reprise.Policy{TTL: short, Jitter: -1}
	rescued := reprise.Policy{TTL: short, StaleIfError: time.Minute, Jitter: -1}
	soft := reprise.Policy{TTL: time.Minute, StaleWhileRevalidate: time.Minute, Jitter: -1}
	two := []string{"a", "b"}
	tags := sameLog("tag", 3)
	list := []*resource{
		{name: "key", policy: long},
		{name: "url", policy: long, url: true},
		{name: "tag", policy: long, tag: tags[0]},
		{name: "tag-of-the-same-log", policy: long, tag: tags[1]},
		{name: "vary", policy: long, variants: two},
		{name: "vary-tag", policy: long, variants: two, tag: tags[2]},
		{name: "soft", policy: soft, soft: true},
		{name: "soft-tag", policy: soft, soft: true, tag: "soft"},
		{name: "swr", policy: swr},
		{name: "swr-tag", policy: swr, tag: "swr"},
		{name: "confirmed", policy: confirmed, etag: `"constant"`},
		{name: "confirmed-tag", policy: confirmed, etag: `"constant"`, tag: "confirmed"},
		{name: "rescued", policy: rescued, fails: 50},
	}
	for _, r := range list {
		r.policy.Name = r.name
	}
	return list
}

// sameLog returns tags that are kept in one purge log, where one could push out
// another.
func sameLog(prefix string, n int) (tags []string) {
	for i := 0; len(tags) < n; i++ {
		tag := prefix + strconv.Itoa(i)
		if len(tags) == 0 || xxhash.Sum64String(tag)%64 == xxhash.Sum64String(tags[0])%64 {
			tags = append(tags, tag)
		}
	}
	return tags
}

// serve answers with the version that the resource has when the handler starts.
func (r *resource) serve(w http.ResponseWriter, req *http.Request, h *history, start int64, lease time.Duration) {
	version := h.version.Load()
	selected := req.Header.Get("X-Select")
	pause := rand.N(4 * time.Millisecond)
	if rand.IntN(100) < 5 {
		pause = lease + rand.N(lease/2)
	}
	if r.fails > 0 {
		pause += 10 * time.Millisecond // time for others to join
	}
	select {
	case <-time.After(pause):
	case <-req.Context().Done():
		return
	}
	if r.tag != "" {
		reprise.Tag(req.Context(), r.tag)
	}
	switch {
	case rand.IntN(100) < r.fails:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case r.etag != "" && req.Header.Get("If-None-Match") == r.etag:
		w.WriteHeader(http.StatusNotModified)
		return
	case r.etag != "":
		w.Header().Set("ETag", r.etag)
	}
	if r.variants != nil {
		w.Header().Set("Vary", "X-Select")
	}
	fmt.Fprint(w, body(r.name, selected, version, start))
}

// body is what a handler answers, with a sum that tells whether it is whole.
func body(name, variant string, version, start int64) string {
	text := fmt.Sprintf("%s %s %d %d", name, variant, version, start)
	return fmt.Sprintf("%s %08x", text, crc32.ChecksumIEEE([]byte(text)))
}

// read takes a body apart. A body that is not whole, or of something else, is no
// answer.
func (r *resource) read(text, variant string, a *answer) (guarantee, why string) {
	cut := strings.LastIndexByte(text, ' ')
	if cut < 0 {
		return "G6", fmt.Sprintf("%s: %q", r.name, text)
	}
	sum, err := strconv.ParseUint(text[cut+1:], 16, 32)
	if err != nil || uint32(sum) != crc32.ChecksumIEEE([]byte(text[:cut])) {
		return "G6", fmt.Sprintf("%s: %q", r.name, text)
	}
	fields := strings.Split(text[:cut], " ")
	if len(fields) != 4 || fields[0] != r.name || fields[1] != variant {
		return "G0", fmt.Sprintf("%s, variant %q: %q", r.name, variant, text)
	}
	a.version, _ = strconv.ParseInt(fields[2], 10, 64)
	a.start, _ = strconv.ParseInt(fields[3], 10, 64)
	return "", ""
}

// purge returns what ends the current version.
func (r *resource) purge(key string) store.Purge {
	if r.tag != "" {
		return store.Purge{Tags: []string{r.tag}, Soft: r.soft}
	}
	return store.Purge{Keys: []string{key}, Soft: r.soft}
}
