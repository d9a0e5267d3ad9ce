package keyfunc

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
)

const (
	maxKey = 512 // bytes of a key
	digest = "sha256<"
	// maxPrefix is what a hashed key shows of itself: what the separator, the
	// digest of 43 letters and its brackets leave.
	maxPrefix = maxKey - (1 + len(digest) + 43 + 1)
)

// bound shortens the key dst[start:] if it is longer than maxKey. The marker
// after sep is in no other key: components hold no bracket, and header fields,
// the only names that callers choose, begin with no small letter. All 256 bits
// are kept: whoever chooses URLs can search for collisions, so 128 bits would
// be 64.
func bound(dst []byte, start int, sep byte) []byte {
	key := dst[start:]
	if len(key) <= maxKey {
		return dst
	}
	sum := sha256.Sum256(key)
	cut := maxPrefix
	if i := bytes.LastIndexByte(key[:cut], '%'); i >= cut-3 {
		cut = i // not through an escape
	}
	dst = append(dst[:start+cut], sep)
	dst = append(dst, digest...)
	dst = base64.RawURLEncoding.AppendEncode(dst, sum[:])
	return append(dst, '>')
}
