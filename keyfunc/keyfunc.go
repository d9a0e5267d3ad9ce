package keyfunc

import (
	"errors"
	"net/http"
)

// A Func appends the key of r to dst and returns the extended slice. It keeps
// neither, and may be called from any goroutine. An error makes the request
// bypass the cache.
//
// While a key is built, dst may grow to four times the request's head, which
// [http.Server.MaxHeaderBytes] bounds. Callers that keep buffers drop large ones.
type Func func(dst []byte, r *http.Request) ([]byte, error)

// ErrNoURL: the request has no URL.
var ErrNoURL = errors.New("keyfunc: request without a URL")

// Default is the key function of policies that have none of their own. The
// package's documentation says what its keys hold. Its only error is ErrNoURL,
// which no request from net/http's server causes. It does not allocate where
// dst has room and the query has at most 16 pairs.
func Default(dst []byte, r *http.Request) ([]byte, error) {
	return everything.appendKey(dst, r)
}

var everything = &recipe{reflected: allReflected}
