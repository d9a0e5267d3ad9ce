//go:build mutants

package attacks

// redisMutants trust what is in Redis.
var redisMutants = []mutant{
	one("a value may be another key's", "values of two keys, swapped in Redis", "store/redisstore/lookup.go", "if it.Slot() != slot {", "if false {").on("redis"),
	one("a value may be another variant's", "values of two variants, swapped in Redis", "store/redisstore/lookup.go", "if it.Slot() != slot {", "if it.Key != slot.Key {").
		with(exchangeFile, "if err != nil || !bytes.Equal(v.selected, x.selected) {", "if err != nil || bytes.Equal(v.selected, nil) {").on("redis"),
	one("the sum is not compared", "a value with a flipped bit in Redis", "store/redisstore/entry.go", " || sum(b) != binary.LittleEndian.Uint64(b[offSum:]) {", " {").on("redis"),
	one("a value may become as large as it says", "a bomb in Redis", "store/redisstore/pack.go", "if n <= 0 || size > maxPacked {", "if n <= 0 || size > maxPacked<<10 {").on("redis"),
	one("a value may become larger than it says", "a bomb in Redis", "store/redisstore/pack.go", "zstd.WithDecoderMaxMemory(maxPacked), zstd.WithDecodeAllCapLimit(true)", "zstd.WithDecoderMaxMemory(maxPacked<<10)").on("redis"),
	one("items have no weight", "unique URLs", "store/redisstore/local.go", "return uint32(min(n, math.MaxUint32))", "return uint32(min(n, math.MaxUint32, 0))").on("redis"),
}
