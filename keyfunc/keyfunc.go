// Package keyfunc makes the keys under which responses and data are stored.
package keyfunc

import "net/http"

// A Func appends the key of r to dst and returns the extended slice.
type Func func(dst []byte, r *http.Request) ([]byte, error)
