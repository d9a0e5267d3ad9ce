package middleware

// A Reason says why a request was answered the way it was, or why its response
// was not stored. It is the one enum behind Cache-Status, metrics, logs and
// explain.
type Reason uint8

const (
	ReasonNone Reason = iota

	// Why a request never asked the cache.
	ReasonMethod      // not GET or HEAD
	ReasonBody        // a GET with a body
	ReasonOverride    // a method override field
	ReasonUpgrade     // asks for another protocol
	ReasonEventStream // asks for server-sent events
	ReasonCondition   // Policy.Condition said no
	ReasonKey         // the key function failed, or the key is too long
	ReasonCookie      // a cookie that Policy.Cookies lists under Bypass
	ReasonClient      // the client's own no-store

	// Why a request was forwarded to the handler.
	ReasonURI     // nothing stored for the key
	ReasonVary    // nothing stored for this variant
	ReasonStale   // stored, too old
	ReasonRequest // stored and fresh, but this request may not use it

	// Why a response was not stored.
	ReasonNoStore       // no-store, from the response or the handler's NoStore
	ReasonPrivate       // private
	ReasonStatus        // a status that is not stored here
	ReasonNoFreshness   // neither the response nor the policy gives it a life
	ReasonAuthorization // a request with Authorization, and no leave to share
	ReasonCookies       // a request with cookies, and only the policy's own TTL
	ReasonSetCookie     // Set-Cookie
	ReasonVaryStar      // Vary: *, Cookie or Authorization
	ReasonRequestNoStore
	ReasonSize      // body or header over the limit
	ReasonStream    // an event stream, a hijacked connection
	ReasonTags      // too many tags, or too long ones
	ReasonTruncated // ended early: fewer bytes than promised, a failed write, a panic
	ReasonOvertaken // a purge or a newer fill came first
	ReasonStore     // the store failed
	ReasonError     // the handler failed, something stored stood in

	NumReasons
)
