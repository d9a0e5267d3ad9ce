package redisstore

import (
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// TestAnAnswerIsOfItsOwnHeartbeat has two heartbeats on their way, as on a line
// whose round trip takes longer than Timeout: the answer to the older one proves
// nothing of what came after the younger was sent.
func TestAnAnswerIsOfItsOwnHeartbeat(t *testing.T) {
	s := open(t, Options{Addrs: []string{freeAddr(t)}})
	c := &conn{s: s}
	beat := s.keys.beat("k")
	send := func() (at int64) {
		at = s.clock()
		c.Flight(beat, "GET", 0, time.Time{})
		time.Sleep(time.Millisecond)
		return at
	}
	send()                                         // first, given up
	send()                                         // second, given up
	c.Update(beat, "GET", rueidis.RedisMessage{}) // answers the first
	second := s.clock()
	send()                                         // third
	c.Update(beat, "GET", rueidis.RedisMessage{}) // answers the second
	if proof := c.proof.Load(); proof > second {
		t.Errorf("the answer to what was sent before %d proves %d", second, proof)
	}
}
