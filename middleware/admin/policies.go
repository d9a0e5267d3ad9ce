package admin

import (
	"time"

	"github.com/reprise-go/reprise/middleware"
)

// A policyInfo is a middleware.Policy as JSON. Times are in nanoseconds. Of what is
// code it tells whether there is any.
type policyInfo struct {
	Name                 string                `json:"name"`
	TTL                  time.Duration         `json:"ttl_ns"`
	StaleWhileRevalidate time.Duration         `json:"stale_while_revalidate_ns"`
	StaleIfError         time.Duration         `json:"stale_if_error_ns"`
	Statuses             map[int]time.Duration `json:"statuses_ns"` // negative: not stored without a lifetime of its own
	Jitter               float64               `json:"jitter"`
	Vary                 []string              `json:"vary,omitempty"`
	Cookies              cookiesInfo           `json:"cookies"`
	Condition            bool                  `json:"condition"`
	Tags                 bool                  `json:"tags"`
	Limits               limitsInfo            `json:"limits"`
	Advanced             advancedInfo          `json:"advanced"`
}

// The types below are those of package middleware with names for JSON: the compiler
// sees to it that they stay so, where they are converted.

type cookiesInfo struct {
	Ignore bool     `json:"ignore"`
	Vary   []string `json:"vary,omitempty"`
	Bypass []string `json:"bypass,omitempty"`
}

type limitsInfo struct {
	Body     int64         `json:"body"`
	Header   int           `json:"header"`
	Fill     time.Duration `json:"fill_ns"`
	Wait     time.Duration `json:"wait_ns"`
	Tags     int           `json:"tags"`
	VaryOn   int           `json:"vary_on"`
	Selected int           `json:"selected"`
	Variants int           `json:"variants"`
	Key      int           `json:"key"`
	Waiters  int           `json:"waiters"`
	Reloads  int           `json:"reloads"`
}

type advancedInfo struct {
	ClientDirectives          middleware.Directives `json:"client_directives"`
	Heuristic                 bool                  `json:"heuristic"`
	Targeted                  []string              `json:"targeted"`
	Keep                      time.Duration         `json:"keep_ns"`
	Encodings                 []string              `json:"encodings,omitempty"`
	Languages                 []string              `json:"languages,omitempty"`
	EarlyRefresh              float64               `json:"early_refresh"`
	StorePOST                 bool                  `json:"store_post"`
	NoETag                    bool                  `json:"no_etag"`
	StripHeaders              []string              `json:"strip_headers,omitempty"`
	DangerouslyStoreSetCookie bool                  `json:"dangerously_store_set_cookie"`
}

func policiesOf(c *middleware.Cache) []policyInfo {
	list := []policyInfo{}
	for _, p := range c.Policies() {
		list = append(list, policyInfo{
			Name: p.Name, TTL: p.TTL, StaleWhileRevalidate: p.StaleWhileRevalidate, StaleIfError: p.StaleIfError,
			Statuses: p.Statuses, Jitter: p.Jitter, Vary: p.Vary, Condition: p.Condition != nil, Tags: p.Tags != nil,
			Cookies: cookiesInfo(p.Cookies), Limits: limitsInfo(p.Limits), Advanced: advancedInfo(p.Advanced),
		})
	}
	return list
}
