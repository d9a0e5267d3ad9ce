package redisstore

import (
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// TestAHeartbeatOfAnotherConnectionDoesNotCount has a heartbeat routed to a
// connection that waits for the answer to its own: in a Cluster, that of a
// connection whose slot has moved. The first answer proves nothing of what came
// before the second was sent.
func TestAHeartbeatOfAnotherConnectionDoesNotCount(t *testing.T) {
	s := open(t, Options{Addrs: []string{freeAddr(t)}})
	c := &conn{s: s}
	own, moved := s.keys.beat("k"), s.keys.beat("l")
	if _, entry := c.Flight(own, "GET", 0, time.Time{}); entry != nil {
		t.Fatal("the first is not sent")
	}
	sent := s.clock()
	time.Sleep(time.Millisecond)
	_, entry := c.Flight(moved, "GET", 0, time.Time{})
	c.Update(own, "GET", rueidis.RedisMessage{})
	if proof := c.proof.Load(); proof == 0 || proof > sent {
		t.Errorf("the answer to what was sent by %d proves %d", sent, proof)
	}
	if entry == nil {
		c.Update(moved, "GET", rueidis.RedisMessage{})
	} else if _, err := entry.Wait(ctx); err == nil {
		t.Error("a heartbeat that was not sent was answered")
	}
	if _, entry := c.Flight(moved, "GET", 0, time.Time{}); entry != nil {
		t.Error("the next is not sent")
	}
}
