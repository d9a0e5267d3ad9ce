package main

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v3"

	"github.com/reprise-go/reprise/internal/measure"
)

// An origin is the handler behind a cache. It answers every path alike.
type origin struct {
	body   []byte
	length string
	delay  time.Duration
	runs   atomic.Int64
}

func newOrigin(size int, delay time.Duration) *origin {
	o := &origin{body: make([]byte, size), length: strconv.Itoa(size), delay: delay}
	letters := rand.New(rand.NewPCG(1, uint64(size))) // not x's, which Souin would compress to nothing
	for i := range o.body {
		o.body[i] = byte('a' + letters.IntN(26))
	}
	return o
}

// answer is the bare handler. It does not count its runs: processors that count
// in one place wait for each other.
func (o *origin) answer(w http.ResponseWriter, _ *http.Request) {
	measure.Answer(w, o.body, o.length)
}

// ServeHTTP is the handler behind a cache.
func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.runs.Add(1)
	time.Sleep(o.delay)
	o.answer(w, r)
}

// answerFiber is answer for fiber.
func (o *origin) answerFiber(c fiber.Ctx) error {
	c.Set("Content-Type", "text/plain")
	c.Set("Content-Length", o.length)
	c.Set("Cache-Control", "public, max-age=3600")
	c.Set("Etag", `"one"`)
	return c.Send(o.body)
}

// serveFiber is ServeHTTP for fiber.
func (o *origin) serveFiber(c fiber.Ctx) error {
	o.runs.Add(1)
	time.Sleep(o.delay)
	return o.answerFiber(c)
}
