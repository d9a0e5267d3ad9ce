package middleware

import (
	"bufio"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/swr"
)

// A mode is how a capture treats what the handler writes.
type mode uint8

const (
	undecided mode = iota
	hold           // buffered, and sent when the handler has returned
	drop           // swallowed: the answer is what is stored
	tee            // the handler flushes: into the buffer, and from there to the client
	pipe           // straight through, as if there were no cache
	mute           // the client has its answer, a 304; swallowed
)

// A bearing is what a response is to what is stored.
type bearing uint8

const (
	replaces  bearing = iota // it is the answer
	confirms                 // a 304 to our own condition: what is stored is the answer
	completes                // a 206 to our own range: with what is stored, it is the answer
	describes                // of a HEAD: what it says of the stored response counts, and is the answer
	unfit                    // none of these, though it was to be; the handler is asked again
	fails                    // an error; the engine looks whether something stored may stand in
	rescued                  // an error, and something does, as far as is known
)

var (
	_ http.Flusher  = (*capture)(nil) // many a handler asks for it by type assertion
	_ http.Hijacker = (*capture)(nil) // as WebSocket libraries do
	_ io.ReaderFrom = (*capture)(nil) // keeps sendfile for what is piped
)

// A capture is the ResponseWriter of a handler whose response may be stored. It
// decides on its mode once, in WriteHeader, with status and header in hand.
//
// While it captures it has a header map of its own, so that only what the inner
// handler wrote is stored. It unwraps for http.ResponseController, and beside
// that has only what it changes: Flush in both forms, Hijack and ReadFrom.
type capture struct {
	x       *exchange
	run     *swr.Run
	ctx     context.Context // of the fill
	ask     ask
	old     *response // what the caller found, usable or not
	scratch scratch
	started time.Time

	request http.Request // what the handler gets
	url     url.URL
	within  scratchContext

	header  http.Header // what the handler sees
	mode    mode
	status  int
	sent    http.Header // the header as it was at WriteHeader
	body    []byte
	pump    pump  // of tee
	length  int64 // promised by Content-Length, or -1
	bearing bearing
	why     Reason      // why the response is not stored
	extra   http.Header // what the handler said to its own client, where the rest of the answer is what is stored
	gone    bool        // and what was stored goes

	room
}

func newCapture(ctx context.Context, x *exchange, run *swr.Run, old *response, a ask) *capture {
	c := x.spare
	if c == nil {
		c = new(capture)
	}
	x.spare = nil
	c.x, c.run, c.ctx, c.ask, c.old = x, run, ctx, a, old
	c.started, c.header, c.length = time.Now(), make(http.Header), -1
	c.scratch.store, c.scratch.outer = x.rt.cache.store, x.outer
	c.within = scratchContext{ctx, &c.scratch}
	return c
}

// ours returns the request that the handler gets: a copy, since handlers change
// their requests, and what counts here is what came.
func (c *capture) ours() *http.Request {
	r := &c.request
	*r = *c.x.r.WithContext(&c.within)
	r.Header = c.clone(r.Header)
	c.url = *r.URL
	r.URL = &c.url
	c.ask.apply(r.Header)
	c.x.rt.negotiate(r.Header)
	return r
}

func (c *capture) Header() http.Header { return c.header }

// Unwrap is for http.ResponseController.
func (c *capture) Unwrap() http.ResponseWriter { return c.x.w }

func (c *capture) WriteHeader(status int) {
	switch {
	case c.mode != undecided:
		if c.mode == pipe && c.x.w != nil {
			c.x.w.WriteHeader(status) // net/http says what is wrong with it
		}
	case status >= 100 && status < 200 && status != http.StatusSwitchingProtocols:
		c.inform(status)
	default:
		c.decide(status)
	}
}

// inform forwards a 1xx. None of its fields stays.
func (c *capture) inform(status int) {
	if c.x.w == nil {
		return
	}
	h := c.x.w.Header()
	before := maps.Clone(h)
	maps.Copy(h, c.header)
	c.x.w.WriteHeader(status)
	clear(h)
	maps.Copy(h, before)
}

// passThrough lets go of the capture: those who wait for the response stop
// waiting, and what is held goes to the client.
func (c *capture) passThrough() {
	c.mode = pipe
	c.run.Alone(c.gone, c.why.err())
	if c.x.w == nil {
		c.body = nil
		return
	}
	if c.notModified() {
		c.mode, c.body = mute, nil
		c.sendNotModified()
		return
	}
	c.sendHeader()
	if len(c.body) > 0 {
		c.x.w.Write(c.body) // a failed write fails the handler's next one as well
	}
	c.body = nil
}

// sendHeader sends the header of the handler's own response to its client.
func (c *capture) sendHeader() {
	h := c.x.w.Header()
	replace(h, c.sent)
	c.x.stampOwn(h)
	c.x.w.WriteHeader(c.status)
}

// notModified tells whether the handler's whole answer, which is not for others
// after all, meets its client's conditions: the handler did not see them.
func (c *capture) notModified() bool {
	return c.ask.whole && c.status == http.StatusOK && c.x.facts&hasConditional != 0 &&
		rfc9111.NotModified(c.x.r.Header, c.sent["Etag"], c.sent["Last-Modified"], c.x.now.time())
}

func (c *capture) sendNotModified() {
	h := c.x.w.Header()
	replace(h, c.sent)
	rfc9111.RemoveFields(h, contentFields)
	c.x.stampOwn(h)
	c.x.w.WriteHeader(http.StatusNotModified)
}

// sendTrailers hands on what the handler set after the header went out: the
// fields it announced in Trailer, and those with http.TrailerPrefix.
func (c *capture) sendTrailers() {
	h := c.x.w.Header()
	for name, values := range c.header {
		if isTrailer(name) || c.announced(name) {
			h[name] = values
		}
	}
}

func hasTrailer(h http.Header) bool {
	for name := range h {
		if isTrailer(name) {
			return true
		}
	}
	return false
}

func isTrailer(name string) bool { return strings.HasPrefix(name, http.TrailerPrefix) }

func (c *capture) announced(name string) bool {
	for _, line := range c.sent["Trailer"] {
		for t := range strings.SplitSeq(line, ",") {
			if http.CanonicalHeaderKey(strings.TrimSpace(t)) == name {
				return true
			}
		}
	}
	return false
}

func (c *capture) Write(p []byte) (int, error) {
	if c.mode == undecided {
		c.WriteHeader(http.StatusOK)
	}
	if c.mode != pipe {
		if err := c.fits(len(p)); err != nil {
			return 0, err
		}
		if (c.mode == hold || c.mode == tee) && int64(len(c.body)+len(p)) > c.x.rt.policy.Limits.Body {
			c.outgrow()
		}
	}
	switch c.mode {
	case drop, mute:
		return len(p), nil
	case hold:
		c.body = append(c.body, p...)
		return len(p), nil
	case tee:
		c.body = append(c.body, p...)
		c.pump.send(c.body, false)
		return len(p), nil
	}
	if c.x.w == nil {
		return len(p), nil
	}
	return c.x.w.Write(p)
}

// fits answers as net/http would for n more bytes of body.
func (c *capture) fits(n int) error {
	switch {
	case n > 0 && !bodyAllowed(c.status):
		return http.ErrBodyNotAllowed
	case c.length >= 0 && int64(len(c.body)+n) > c.length:
		return http.ErrContentLength
	}
	return nil
}

// outgrow stops capturing a body that is over the limit.
func (c *capture) outgrow() {
	switch c.bearing {
	case rescued:
		c.mode, c.body = drop, nil
		return
	case completes: // it is longer than it said
		c.mode, c.body, c.bearing = drop, nil, unfit
		return
	}
	c.why, c.bearing = ReasonSize, replaces
	if c.mode == tee {
		c.mode = pipe
		c.run.Alone(false, c.why.err())
		c.pump.drain(c.body)
		c.body = nil
		return
	}
	c.passThrough()
}

// ReadFrom lets the connection read what is piped by itself.
func (c *capture) ReadFrom(src io.Reader) (int64, error) {
	if c.mode == undecided {
		c.WriteHeader(http.StatusOK)
	}
	if c.mode == pipe && c.x.w != nil {
		return io.Copy(c.x.w, src)
	}
	return io.Copy(struct{ io.Writer }{c}, src)
}

// Flush is FlushError for those who ask for an http.Flusher.
func (c *capture) Flush() { _ = c.FlushError() }

// FlushError lets what is there go out to the client, who is waiting for it, and
// of a response that may be stored does not wait until it has. What is stored is
// the same.
func (c *capture) FlushError() error {
	if c.mode == undecided {
		c.WriteHeader(http.StatusOK)
	}
	if c.x.w == nil || c.mode == drop || c.mode == mute || c.bearing == rescued || c.bearing == completes {
		return nil
	}
	if c.mode == hold && c.bearing == fails {
		c.why, c.bearing = ReasonError, replaces
		c.passThrough()
	}
	if c.mode == hold && c.status != http.StatusPartialContent && (c.x.facts&(hasConditional|hasRange) != 0 || c.x.post()) {
		return nil // what to send of it is known when it is whole, or stored
	}
	if c.mode == hold {
		c.mode, c.pump.w = tee, c.x.w
		c.sendHeader()
	}
	if c.mode == tee {
		c.pump.send(c.body, true)
		return nil // the client may leave
	}
	return http.NewResponseController(c.x.w).Flush()
}

var errNoClient = errors.New("middleware: a background refresh has no connection to hijack")

// Hijack gives the connection away.
func (c *capture) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if c.x.w == nil {
		return nil, nil, errNoClient
	}
	if c.mode == hold {
		c.why, c.bearing = ReasonStream, replaces
		c.passThrough() // what was written comes first
		_ = http.NewResponseController(c.x.w).Flush()
	}
	if c.mode == tee {
		c.pump.drain(c.body)
	}
	conn, rw, err := http.NewResponseController(c.x.w).Hijack()
	if err == nil && c.mode != pipe {
		c.mode, c.why, c.body = pipe, ReasonStream, nil
		c.run.Alone(false, c.why.err())
	}
	return conn, rw, err
}
