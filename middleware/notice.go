package middleware

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/reprise-go/reprise/swr"
)

// noticeEvery is how often one Reason of one policy is logged at most. What is wrong
// with a route is wrong with each of its requests.
const noticeEvery = time.Minute

// noticed are the reasons that are worth a human's time, with what to say of each.
// The others are how caches work: they are logged at Debug alone.
var noticed = [NumReasons]string{
	ReasonKey:       "requests have no key: each runs the handler",
	ReasonSetCookie: "responses set cookies: they are not stored",
	ReasonVaryOn:    "responses vary by more than may be, or have all their variants: they are not stored",
	ReasonSize:      "responses are over the limits: they are not stored",
	ReasonTags:      "responses have more tags than may be, or too long ones: they are not stored",
	ReasonTruncated: "responses ended early: they are not stored",
	ReasonStore:     "the store failed: responses are made and not stored",
	ReasonWaiters:   "as many requests wait as may: the handler runs for each of the others",
	ReasonError:     "the handler failed: what was stored stood in, if it could",
	ReasonRefreshes: "as many refreshes are running as may: stale responses are not refreshed",
}

// notices log what became of a policy's requests, each Reason once in a while.
type notices struct {
	log *slog.Logger // with the policy

	mu   sync.Mutex
	last [NumReasons]time.Time
	more [NumReasons]int // since then
}

// note logs that a request was answered so for why. Keys, which may hold personal
// data, are logged at Debug alone.
func (n *notices) note(key string, o swr.Outcome, why Reason) {
	ctx := context.Background()
	if text := noticed[why]; text != "" && n.log.Enabled(ctx, slog.LevelWarn) {
		if more, now := n.due(why); now {
			n.log.LogAttrs(ctx, slog.LevelWarn, text, slog.String("outcome", o.String()), slog.String("reason", why.String()), slog.Int("more", more))
		}
	}
	if n.log.Enabled(ctx, slog.LevelDebug) {
		n.log.LogAttrs(ctx, slog.LevelDebug, "answered", slog.String("outcome", o.String()), slog.String("reason", why.String()), slog.String("key", strings.Clone(key))) // which may be a view
	}
}

// due tells whether why is to be logged now, and of how many requests it was not.
func (n *notices) due(why Reason) (more int, now bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := time.Now()
	if !n.last[why].IsZero() && t.Sub(n.last[why]) < noticeEvery {
		n.more[why]++
		return 0, false
	}
	more, n.last[why], n.more[why] = n.more[why], t, 0
	return more, true
}
