package redisstore

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// TestAnswersCountForTheirOwnHeartbeat gives up a heartbeat whose answer is
// still to come. As long as it is, no other one is sent: whose an answer is
// could not be told, and one that counted for a later heartbeat would prove more
// than it does.
func TestAnswersCountForTheirOwnHeartbeat(t *testing.T) {
	s := open(t, Options{Addrs: []string{freeAddr(t)}})
	c := &conn{s: s}
	mine := func() bool { return slices.Contains(s.beats.due(), c) }
	key := s.keys.beat("k")
	c.Flight("k", "GET", 0, time.Time{}) // its first read makes it one to ask
	defer c.Close(nil)
	if !mine() {
		t.Fatal("no heartbeat is due")
	}
	c.Flight(key, "GET", 0, time.Time{})
	sent := c.beat.Load()
	s.beats.done(c) // given up by its deadline
	if mine() {
		t.Fatal("another one is due, and the answer of the first would count for it")
	}
	c.Update(key, "GET", rueidis.RedisMessage{})
	if got := c.proof.Load(); got != sent {
		t.Errorf("the answer proves %d, and was asked for at %d", got, sent)
	}
	if !mine() {
		t.Error("none is due after the answer")
	}

	c.Flight(key, "GET", 0, time.Time{})
	s.beats.done(c)
	proof := c.proof.Load()
	c.Cancel(key, "GET", new(rueidis.RedisError))
	if got := c.proof.Load(); got != proof {
		t.Error("an error proves that the connection is alive")
	}
	if !mine() {
		t.Error("none is due after an error")
	}

	// One that was never sent is never answered, and is not waited for for ever.
	c.Flight(key, "GET", 0, time.Time{})
	s.beats.done(c)
	c.beat.Store(s.clock() - int64(beatLost) - 1)
	if !mine() {
		t.Error("a heartbeat that was lost is waited for")
	}
}

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
