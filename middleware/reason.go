package middleware

import (
	"errors"

	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A Reason says why a request was answered the way it was, or why its response
// was not stored. It is the one enum behind Cache-Status, metrics, logs and
// explain.
type Reason uint8

const (
	ReasonNone Reason = iota

	// Why a request never asked the cache.
	ReasonMethod      // not GET or HEAD
	ReasonBody        // a GET or HEAD with a body
	ReasonOverride    // a method override field
	ReasonUpgrade     // asks for another protocol
	ReasonEventStream // asks for server-sent events
	ReasonCondition   // Policy.Condition said no
	ReasonKey         // the key function failed, or its key is over the limit
	ReasonCookie      // a cookie that Policy.Cookies lists under Bypass

	// Why a request was forwarded to the handler.
	ReasonURI     // nothing stored for the key
	ReasonVary    // nothing stored for this variant
	ReasonStale   // stored, too old
	ReasonRequest // stored, but this request may not use it
	ReasonPartial // stored in part, and not the part that is asked for; or a part that must not displace the whole

	// Why a response was not stored.
	ReasonRequestNoStore // the client's own no-store
	ReasonNoStore        // no-store, from the response or the handler's NoStore
	ReasonNoCache        // no-cache, and no validator to ask the handler with
	ReasonPrivate        // private
	ReasonStatus         // a status that is not stored here
	ReasonNoFreshness    // neither the response nor the policy gives it a life
	ReasonAuthorization  // a request with Authorization, and no leave to share
	ReasonCookies        // a request with cookies, and only the policy's own TTL
	ReasonSetCookie      // Set-Cookie
	ReasonVaryOn         // Vary: *, Cookie or Authorization, or over the limits, that of variants too
	ReasonSize           // body or header over the limit, or the whole over what the store takes
	ReasonStream         // an event stream, or a hijacked connection
	ReasonTags           // too many tags, or too long ones
	ReasonTruncated      // ended early: fewer bytes than promised, or a failed write
	ReasonOvertaken      // a purge or a newer fill came first
	ReasonStore          // the store failed
	ReasonWaiters        // as many wait for the one that is being made as may: made for this request alone
	ReasonError          // the handler failed; what was stored stood in

	// Why a stale response that was used is not refreshed.
	ReasonRefreshes // as many refreshes are running as may

	NumReasons
)

var reasonNames = [NumReasons]string{
	ReasonNone: "none",

	ReasonMethod: "method", ReasonBody: "body", ReasonOverride: "override", ReasonUpgrade: "upgrade",
	ReasonEventStream: "event-stream", ReasonCondition: "condition", ReasonKey: "key", ReasonCookie: "cookie",

	ReasonURI: "uri-miss", ReasonVary: "vary-miss", ReasonStale: "stale", ReasonRequest: "request",
	ReasonPartial: "partial",

	ReasonRequestNoStore: "request-no-store", ReasonNoStore: "no-store", ReasonNoCache: "no-cache", ReasonPrivate: "private",
	ReasonStatus: "status", ReasonNoFreshness: "no-freshness", ReasonAuthorization: "authorization",
	ReasonCookies: "cookies", ReasonSetCookie: "set-cookie", ReasonVaryOn: "vary", ReasonSize: "size",
	ReasonStream: "stream", ReasonTags: "tags", ReasonTruncated: "truncated", ReasonOvertaken: "overtaken",
	ReasonStore: "store", ReasonWaiters: "waiters", ReasonError: "error",

	ReasonRefreshes: "refreshes",
}

// String returns the reason as Cache-Status, metric labels and logs have it.
func (r Reason) String() string {
	if r >= NumReasons {
		return "invalid"
	}
	return reasonNames[r]
}

// MarshalText returns String.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// unstored is the error of a Reason why a response is not stored.
type unstored Reason

func (u unstored) Error() string { return "middleware: not stored: " + Reason(u).String() }

// err returns r for swr, which hands it to those for whom r will most likely
// hold as well.
func (r Reason) err() error {
	if r == ReasonNone {
		return nil
	}
	return unstored(r)
}

// reasonOf is the Reason behind a swr.Run's Verdict that is not nil.
func reasonOf(err error) Reason {
	var u unstored
	switch {
	case errors.As(err, &u):
		return Reason(u)
	case errors.Is(err, store.ErrOvertaken):
		return ReasonOvertaken
	case errors.Is(err, store.ErrFull):
		return ReasonVaryOn
	case errors.Is(err, store.ErrTooLarge):
		return ReasonSize
	case errors.Is(err, swr.ErrWaiters):
		return ReasonWaiters
	}
	return ReasonStore
}
