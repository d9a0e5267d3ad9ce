package redisstore

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// openedLog and purgedLog write a log as logopen.lua and logpurge.lua do.
// TestTheTwinsAreTheScripts holds them to those.
func openedLog(number uint64) string {
	b := make([]byte, 16, logHeadLen)
	for range 3 {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(float64(number)))
	}
	return string(b)
}

// purgedLog purges tag; with none, everything in the log.
func purgedLog(log, tag string, soft bool, number uint64) string {
	pack := func(n uint64) string {
		return string(binary.BigEndian.AppendUint64(nil, math.Float64bits(float64(n))))
	}
	unpack := func(s string) uint64 {
		return uint64(math.Float64frombits(binary.BigEndian.Uint64([]byte(s))))
	}
	inc, hard, softly, records := log[:16], unpack(log[24:32]), unpack(log[32:40]), []string{}
	for record := range slices.Chunk([]byte(log[40:]), logRecordLen) {
		records = append(records, string(record))
	}
	switch {
	case tag == "" && soft:
		softly = number
	case tag == "":
		hard, softly, records = number, number, nil
	default:
		h, s := uint64(0), number
		if i := slices.IndexFunc(records, func(r string) bool { return r[:8] == tagArg(hashOf(tag)) }); i >= 0 {
			h = unpack(records[i][8:16])
			records = slices.Delete(records, i, i+1)
		}
		if !soft {
			h = number
		}
		records = slices.Insert(records, 0, tagArg(hashOf(tag))+pack(h)+pack(s))
	}
	for len(records) > maxTags {
		last := records[len(records)-1]
		hard, softly, records = max(hard, unpack(last[8:16])), max(softly, unpack(last[16:])), records[:len(records)-1]
	}
	return inc + pack(number) + pack(hard) + pack(softly) + strings.Join(records, "")
}

// ofOneLog returns n tags that one log has, joined by line feeds after prefix.
func ofOneLog(n int, prefix string) string {
	var list []string
	for i := 0; len(list) < n; i++ {
		if tag := fmt.Sprint("t", i); logOf(hashOf(tag)) == 7 {
			list = append(list, prefix+tag)
		}
	}
	return strings.Join(list, "\n")
}

// FuzzTags fills an entry, after some purges and before others: one of a tag that
// it carries drops it or makes it stale, one of another tag does not touch it. A
// log that has forgotten tags for others may drop more, never less.
func FuzzTags(f *testing.F) {
	f.Add("k", "a\nb", "h a", uint8(0))
	f.Add("k", "a\nb", "h a", uint8(1))
	f.Add("k", "a\nb", "s b\nh c", uint8(0))
	f.Add("", "", "s\nh x", uint8(0))
	f.Add("k", "a\na", "s a\nh a\ns a", uint8(1))
	f.Add("k", "a", "h a\ns a", uint8(1))
	f.Add("k", "{}\n%", "h\nh %\ns {}", uint8(2))
	f.Add("k", ofOneLog(1, ""), ofOneLog(140, "h "), uint8(2))
	f.Add("k", ofOneLog(140, ""), ofOneLog(140, "s "), uint8(139))
	f.Add("k", ofOneLog(129, "")+"\nx", "h x\n"+ofOneLog(129, "s "), uint8(1))
	f.Fuzz(func(t *testing.T, key, carries, purges string, before uint8) {
		var tags []string
		if carries != "" {
			tags = strings.Split(carries, "\n")
			slices.Sort(tags)
			tags = slices.Compact(tags)
		}
		var logs [numLogs]string
		for i := range logs {
			logs[i] = openedLog(1)
		}
		list := strings.Split(purges, "\n")
		before = min(before, uint8(min(len(list), math.MaxUint8)))
		var it *item
		want, forgot := valid, false
		in := map[int]map[string]bool{} // of each log, the tags purged
		for i := 0; i <= len(list); i++ {
			if i == int(before) {
				it, want = filled(t, key, tags, parseAll(t, &logs)), valid
			}
			if i == len(list) {
				break
			}
			kind, tag, one := strings.Cut(list[i], " ")
			soft := kind == "s"
			for n := range logs {
				if !one || tag == "" || logOf(hashOf(tag)) == n {
					logs[n] = purgedLog(logs[n], tag, soft, uint64(i)+2)
				}
			}
			if one && tag != "" {
				n := logOf(hashOf(tag))
				if in[n] == nil {
					in[n] = map[string]bool{}
				}
				in[n][tag] = true
				forgot = forgot || len(in[n]) > maxTags
			}
			if !one || tag == "" || slices.Contains(tags, tag) {
				want = min(want, map[bool]verdict{true: stale, false: purged}[soft])
			}
		}
		if got := parseAll(t, &logs).judge(it.refs(), it.hashes()); got != want && !(forgot && got < want) {
			t.Errorf("%q, filled before the %dth of %q: verdict %d, want %d", tags, before, list, got, want)
		}
	})
}

// filled is what a fill that saw ls stores, as it comes back from Redis.
func filled(t *testing.T, key string, tags []string, ls *logs) *item {
	t.Helper()
	l := &lease{s: &Store{}, slot: store.Slot{Key: key}, stamp: store.NewStamp(), s0: ls}
	raw, err := l.seal(&plan{}, draft{Entry: store.Entry{Tags: tags}}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	it, err := decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	return it
}

func parseAll(t *testing.T, raw *[numLogs]string) *logs {
	t.Helper()
	var ls logs
	for i := range ls {
		l, ok := parseLog(raw[i])
		if !ok {
			t.Fatalf("%x is not a log", raw[i])
		}
		ls[i] = l
	}
	return &ls
}

func TestTheTwinsAreTheScripts(t *testing.T) {
	addr, key, inc := sharedAddr(t), randomNamespace()+":p1:{0}", strings.Repeat("i", 16)
	if got := command(addr, "EVAL", logOpenLua, "1", key, inc, "0"); len(got) != logHeadLen {
		t.Fatalf("opened: %q", got)
	}
	log := command(addr, "GET", key)
	head := uint64(math.Float64frombits(binary.BigEndian.Uint64([]byte(log[16:]))))
	if want := inc + openedLog(head)[16:]; log != want {
		t.Fatalf("opened:\n%x\n%x", log, want)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		tag, soft := fmt.Sprint(random.IntN(2*maxTags)), random.IntN(2) == 0
		args := []string{"EVAL", logPurgeLua, "1", key, inc, "0", map[bool]string{true: "s", false: "h"}[soft]}
		if random.IntN(200) == 0 {
			tag = ""
		} else {
			args = append(args, tagArg(hashOf(tag)))
		}
		number, err := strconv.ParseUint(command(addr, args...), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		log = purgedLog(log, tag, soft, number)
		if got := command(addr, "GET", key); got != log {
			t.Fatalf("purge of %q, soft: %v\n%x\n%x", tag, soft, got, log)
		}
	}
}
