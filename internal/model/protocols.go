package model

var (
	urlAB  = []purger{{at: 0}, {at: 1}}
	tagAB  = []purger{{at: 0, tag: true}, {at: 1, tag: true}}
	tagURL = []purger{{at: 0, tag: true}, {at: 1}}
	softH  = []purger{{at: 0, soft: true}, {at: 1}}
	softB  = []purger{{at: 1, soft: true}}
	beat1  = [maxInstances]uint8{1, 1}
	vary3  = []client{{at: 0}, {at: 0, variant: 1}, {at: 1}}
)

var protocols = []config{
	{name: "url", requests: three, purges: urlA},
	{name: "url elsewhere", requests: three, purges: urlB},
	{name: "url, ticks", requests: three, purges: urlB, stored: true, beats: beat1, most: budget{ticks: 3}},
	{name: "url, lapses", requests: three, purges: urlA, most: budget{lapses: 2}},
	{name: "url, two purges", requests: three, purges: urlAB, stored: true, warm: true},
	{name: "url, breaks and evictions", requests: three, purges: urlA, stored: true, warm: true, beats: beat1, most: budget{breaks: 1, evictions: 1}, evict: []key{keyBase}, control: true},
	{name: "url, read given up", requests: three, purges: urlB, stored: true, beats: beat1, most: budget{giveUps: 1, ticks: 2}},
	{name: "url, 304", requests: three, purges: urlA, stored: true, warm: true, aged: true, confirm: true},
	{name: "url, 304 in a refresh", requests: three, purges: urlA, stored: true, warm: true, aged: true, confirm: true, swr: true},
	{name: "url, 304, purged by one UNLINK instead", requests: three, purges: urlA, stored: true, warm: true, aged: true, confirm: true, oneUnlink: true, off: protections{sameBase: true}},
	{name: "url, rescue", requests: three, purges: urlA, stored: true, warm: true, aged: true, most: budget{fails: 1}},
	{name: "tag", requests: three, purges: tagA, tags: true},
	{name: "tag, ticks", requests: three, purges: tagB, tags: true, stored: true, beats: beat1, most: budget{ticks: 3}},
	{name: "tag, lapses", requests: three, purges: tagA, tags: true, most: budget{lapses: 2}},
	{name: "tag, two purges", requests: three, purges: tagAB, tags: true, stored: true, warm: true},
	{name: "tag, then url", requests: three, purges: tagURL, tags: true, stored: true, warm: true},
	{name: "tag, log evicted", requests: three, purges: tagA, tags: true, stored: true, warm: true, evict: []key{keyLog, keyBase}, most: budget{evictions: 1}},
	{name: "tag, breaks", requests: three, purges: tagA, tags: true, stored: true, warm: true, beats: beat1, most: budget{breaks: 1}},
	{name: "tag, read given up", requests: three, purges: tagB, tags: true, stored: true, beats: beat1, most: budget{giveUps: 1, ticks: 2}},
	{name: "tag, failover", requests: three, purges: tagA, tags: true, stored: true, warm: true, beats: beat1, most: budget{failovers: 1}},
	{name: "tag, 304", requests: three, purges: tagA, tags: true, stored: true, warm: true, aged: true, confirm: true},
	{name: "vary", requests: vary3, purges: urlA, vary: true, stored: true, warm: true},
	{name: "vary, cold", requests: vary3, purges: urlB, vary: true},
	{name: "vary, ticks", requests: vary3, purges: urlB, vary: true, stored: true, beats: beat1, most: budget{ticks: 2}},
	{name: "vary, lapses", requests: vary3, purges: urlA, vary: true, most: budget{lapses: 2}},
	{name: "vary, tag", requests: vary3, purges: tagA, tags: true, vary: true, stored: true, warm: true},
	{name: "vary, alternating, base evicted", requests: vary3, purges: urlA, vary: true, plain: true, grow: true, evict: []key{keyBase}, most: budget{evictions: 1}},
	{name: "vary, all evicted", requests: vary3, purges: urlA, vary: true, stored: true, warm: true, grow: true, aged: true, evict: []key{keyBase, keyVariant}, control: true, most: budget{evictions: 2}},
	{name: "soft", requests: three, purges: softA, stored: true, warm: true},
	{name: "soft, refresh", requests: three, purges: softA, stored: true, warm: true, swr: true},
	{name: "soft, ticks", requests: three, purges: softB, stored: true, beats: beat1, most: budget{ticks: 2}},
	{name: "soft, lapses", requests: three, purges: softA, most: budget{lapses: 2}},
	{name: "soft, then hard", requests: three, purges: softH, stored: true, warm: true},
	{name: "soft, 304", requests: three, purges: softH, stored: true, warm: true, confirm: true},
	{name: "soft, vary", requests: vary3, purges: softA, vary: true, stored: true, warm: true},
	{name: "soft, tag", requests: three, purges: softTag, tags: true, stored: true, warm: true},

	// With two requests, what is too much with three.
	{name: "2: url, ticks", requests: two, purges: urlB, stored: true, beats: beatA, most: budget{ticks: 3}},
	{name: "2: url, ticks, window of 2", requests: two, purges: urlB, trust: 2, stored: true, warm: true, beats: beatA, most: budget{ticks: 4}},
	{name: "2: url, heartbeats overlap", requests: two, purges: urlB, stored: true, warm: true, beats: [maxInstances]uint8{3, 0}, most: budget{ticks: 4, giveUps: 1}},
	{name: "2: url, breaks and evictions", requests: two, purges: urlA, stored: true, beats: beatA, most: budget{breaks: 1, evictions: 1}, evict: []key{keyBase}, control: true},
	{name: "2: url, breaks and ticks", requests: two, purges: urlB, stored: true, beats: beatA, most: budget{breaks: 1, ticks: 2}, breaksAt: 1},
	{name: "2: url, reads given up", requests: two, purges: urlB, stored: true, beats: beatA, most: budget{giveUps: 2, ticks: 2}},
	{name: "2: url, calls given up", requests: two, purges: urlA, stored: true, beats: beatA, most: budget{giveUps: 2}, scripts: true},
	{name: "2: url, calls given up, lapses", requests: apart, purges: urlA, stored: true, beats: beat1, most: budget{giveUps: 1, lapses: 1}, scripts: true},
	{name: "2: url, 304, elsewhere", requests: apart, purges: urlAB, stored: true, aged: true, confirm: true, most: budget{lapses: 1}},
	{name: "2: tag, ticks", requests: two, purges: tagB, tags: true, stored: true, beats: beatA, most: budget{ticks: 3}},
	{name: "2: tag, breaks", requests: two, purges: tagA, tags: true, stored: true, beats: beatA, most: budget{breaks: 1}, breaksAt: 1},
	{name: "2: tag, calls given up", requests: two, purges: tagA, tags: true, stored: true, beats: beatA, most: budget{giveUps: 1}, scripts: true},
	{name: "2: tag, failover", requests: apart, purges: tagA, tags: true, stored: true, warm: true, beats: beat1, most: budget{failovers: 1}},
	{name: "2: tag, failover and eviction", requests: two, purges: tagA, tags: true, stored: true, warm: true, beats: beatA, most: budget{failovers: 1, evictions: 1}, evict: []key{keyLog}},
	{name: "2: vary, ticks", requests: []client{{at: 0}, {at: 0, variant: 1}}, purges: urlB, vary: true, stored: true, beats: beatA, most: budget{ticks: 2}},
	{name: "2: vary, 304", requests: variants, purges: urlAB, vary: true, stored: true, aged: true, confirm: true},
	{name: "2: vary, 304, tag", requests: variants, purges: tagA, tags: true, vary: true, stored: true, aged: true, confirm: true},
	{name: "2: vary, all evicted", requests: variants, purges: urlB, vary: true, stored: true, grow: true, aged: true, evict: []key{keyBase, keyVariant}, control: true, most: budget{evictions: 2}},
	{name: "2: soft, ticks", requests: two, purges: softB, stored: true, beats: beatA, most: budget{ticks: 3}},
	{name: "2: soft, tag, 304", requests: two, purges: []purger{{at: 0, soft: true, tag: true}, {at: 1, tag: true}}, tags: true, stored: true, confirm: true},
	{name: "2: soft, tag, vary", requests: variants, purges: softTag, tags: true, vary: true, stored: true},

	// In a Cluster, with the log on a node of its own.
	{name: "2: cluster", requests: two, purges: tagA, tags: true, cluster: true, stored: true},
	{name: "2: cluster, elsewhere", requests: apart, purges: tagAB, tags: true, cluster: true, stored: true, warm: true},
	{name: "2: cluster, ticks", requests: two, purges: tagB, tags: true, cluster: true, stored: true, warm: true, beats: beatA, most: budget{ticks: 2}},
	{name: "2: cluster, breaks", requests: two, purges: tagA, tags: true, cluster: true, stored: true, warm: true, beats: beatA, most: budget{breaks: 1}, breaksAt: 1},
	{name: "2: cluster, 304", requests: two, purges: tagA, tags: true, cluster: true, stored: true, aged: true, confirm: true},
	{name: "2: cluster, 304 and url", requests: apart, purges: tagURL, tags: true, cluster: true, stored: true, warm: true, aged: true, confirm: true},
	{name: "2: cluster, failover", requests: two, purges: tagA, tags: true, cluster: true, stored: true, warm: true, beats: beatA, most: budget{failovers: 1}},
	{name: "2: cluster, soft", requests: two, purges: softTag, tags: true, cluster: true, stored: true},
	{name: "cluster", requests: three, purges: tagA, tags: true, cluster: true},
}
