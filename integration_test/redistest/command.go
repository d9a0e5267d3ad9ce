package redistest

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// Command sends one command to the server at addr over a connection of its own
// and returns the reply.
func Command(addr string, args ...string) rueidis.RedisResult {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{addr}, ForceSingleClient: true, DisableCache: true, AlwaysRESP2: true,
		DisableRetry: true, ClientSetInfo: rueidis.DisableClientSetInfo,
	})
	if err != nil {
		return rueidis.NewErrorResult(err)
	}
	defer client.Close()
	return client.Do(ctx, client.B().Arbitrary(args...).Build())
}

// Do sends one command and fails the test where the server answers with an
// error. It returns the text of the reply, "" where that is a list.
func (s *Server) Do(args ...string) string {
	s.tb.Helper()
	reply := Command(s.Addr(), args...)
	if err := reply.Error(); err != nil && !rueidis.IsRedisNil(err) {
		s.tb.Fatalf("redistest: %s %q: %v", s.Addr(), args, err)
	}
	m, _ := reply.ToMessage()
	if text, err := m.ToString(); err == nil {
		return text
	}
	if n, err := m.AsInt64(); err == nil {
		return strconv.FormatInt(n, 10)
	}
	return ""
}
