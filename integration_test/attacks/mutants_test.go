//go:build mutants

package attacks

import "slices"

// A mutant is the product with one defence taken out. The attack must succeed
// then, which shows that it can, and that the defence is needed.
type mutant struct {
	what   string
	attack string
	store  string // on which it is played; "": memory
	edits  []edit
}

// An edit replaces the one place where a file says old.
type edit struct{ file, old, new string }

const (
	askFile      = "middleware/ask.go"
	captureFile  = "middleware/capture.go"
	controlFile  = "internal/rfc9111/control.go"
	decideFile   = "middleware/decide.go"
	exchangeFile = "middleware/exchange.go"
	fillFile     = "swr/fill.go"
	flightFile   = "swr/flight.go"
	judgeFile    = "middleware/judge.go"
	keepFile     = "middleware/keep.go"
	keyFile      = "keyfunc/request.go"
	lifetimeFile = "middleware/lifetime.go"
	queryFile    = "keyfunc/query.go"
	requestFile  = "middleware/request.go"
	stateFile    = "middleware/state.go"
	storingFile  = "internal/rfc9111/storing.go"
	syntaxFile   = "internal/rfc9111/syntax.go"
	tableFile    = "middleware/known.go"
	varyFile     = "internal/rfc9111/vary.go"
)

func mutants() []mutant {
	return slices.Concat(keyMutants, sharingMutants, controlMutants, poisonMutants, floodMutants, turnedMutants, redisMutants)
}

func one(what, attack, file, before, after string) mutant {
	return mutant{what: what, attack: attack, edits: []edit{{file, before, after}}}
}

// with is m with one more edit.
func (m mutant) with(file, before, after string) mutant {
	m.edits = append(m.edits, edit{file, before, after})
	return m
}

// on is m, played on another store.
func (m mutant) on(store string) mutant {
	m.store = store
	return m
}
