package redisstore

import (
	"context"
	"crypto/sha1"
	_ "embed"
	"encoding/hex"

	"github.com/redis/rueidis"
)

// What each script promises stands at its head.
var (
	//go:embed lua/full.lua
	fullLua string
	//go:embed lua/acquire.lua
	acquireLua string
	//go:embed lua/commit.lua
	commitLua string
	//go:embed lua/hold.lua
	holdLua string
	//go:embed lua/drop.lua
	dropLua string
	//go:embed lua/soft.lua
	softLua string
	//go:embed lua/logpurge.lua
	logPurgeLua string
	//go:embed lua/logopen.lua
	logOpenLua string

	acquireScript  = newScript(fullLua + acquireLua)
	commitScript   = newScript(fullLua + commitLua)
	holdScript     = newScript(holdLua)
	dropScript     = newScript(dropLua)
	softScript     = newScript(softLua)
	logPurgeScript = newScript(logPurgeLua)
	logOpenScript  = newScript(logOpenLua)
)

type script struct{ source, sha string }

func newScript(source string) *script {
	sum := sha1.Sum([]byte(source)) // EVALSHA's name for a script, no secret
	return &script{source, hex.EncodeToString(sum[:])}
}

// A scriptCall is one execution. barrier, if set, is a key of the same slot to
// read after it: its answer comes after all invalidations that the script
// caused on this connection.
type scriptCall struct {
	*script
	keys, args []string
	barrier    string
}

// run sends all calls in one pipeline. rueidis.Lua is not used because it
// neither pipelines a script with another command nor several scripts without
// loading them on every node each time.
func run(ctx context.Context, cl rueidis.Client, calls ...scriptCall) []rueidis.RedisResult {
	results := send(ctx, cl, calls, false)
	var missing []int
	var again []scriptCall
	for i := range results {
		if e, ok := rueidis.IsRedisErr(results[i].Error()); ok && e.IsNoScript() {
			missing = append(missing, i)
			again = append(again, calls[i])
		}
	}
	if missing == nil {
		return results
	}
	for j, r := range send(ctx, cl, again, true) {
		results[missing[j]] = r
	}
	return results
}

// send returns one result per call; a failed barrier fails its call.
func send(ctx context.Context, cl rueidis.Client, calls []scriptCall, source bool) []rueidis.RedisResult {
	cmds := make(rueidis.Commands, 0, 2*len(calls))
	for _, c := range calls {
		n := int64(len(c.keys))
		if source {
			cmds = append(cmds, cl.B().Eval().Script(c.source).Numkeys(n).Key(c.keys...).Arg(c.args...).Build())
		} else {
			cmds = append(cmds, cl.B().Evalsha().Sha1(c.sha).Numkeys(n).Key(c.keys...).Arg(c.args...).Build())
		}
		if c.barrier != "" {
			cmds = append(cmds, cl.B().Exists().Key(c.barrier).Build())
		}
	}
	replies := cl.DoMulti(ctx, cmds...)
	results := make([]rueidis.RedisResult, len(calls))
	for i, j := 0, 0; i < len(calls); i++ {
		results[i] = replies[j]
		if j++; calls[i].barrier != "" {
			if err := replies[j].Error(); err != nil && results[i].Error() == nil {
				results[i] = rueidis.NewErrorResult(err)
			}
			j++
		}
	}
	return results
}
