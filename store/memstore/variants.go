package memstore

import "github.com/reprise-go/reprise/store"

// names are those of the variants that were stored under one base. They are the
// base's own, so that nothing has to be done to forget them: a purge, another
// base and the budget drop them with it. Those of variants that have gone stay
// until somebody counts. The mutex of the key's shard guards them.
type names struct {
	of    map[string]struct{}
	sweep int // how many there are when to look for variants that have gone
}

const (
	// minNames is how many names a base has before it looks for those of
	// variants that have gone.
	minNames = 32
	// nameOverhead is of one name, in bytes: its place in the map.
	nameOverhead = 40
)

func newNames() *names { return &names{make(map[string]struct{}, 1), minNames} }

// count notes that variant is one of base's, which has names.
func (s *Store) count(variant, base *entry) {
	n := base.names()
	if len(n.of) >= n.sweep {
		s.sweep(base)
		// Twice what is left: the names are in proportion to what is stored,
		// and the work to the names.
		n.sweep = max(minNames, 2*len(n.of))
	}
	n.of[variant.Variant()] = struct{}{}
}

// full tells whether base has most variants, and none called name.
func (s *Store) full(base *entry, name string, most int) bool {
	n := base.names()
	if most <= 0 || n == nil || len(n.of) < most || s.stored(base, name) {
		return false
	}
	s.sweep(base)
	return len(n.of) >= most
}

// sweep forgets the names of base's variants that have gone.
func (s *Store) sweep(base *entry) {
	of := base.names().of
	for name := range of {
		if !s.stored(base, name) {
			delete(of, name)
		}
	}
}

// stored tells whether base has a variant called name. To count it is no use of
// it, which would keep it within the budget.
func (s *Store) stored(base *entry, name string) bool {
	slot := store.Slot{Key: base.Key, Variant: name}
	e, ok := s.items.GetEntryQuietly(slot.Hash(s.seed))
	return ok && e.Value.in(slot) && e.Value.Of() == base.Stamp && !s.ended(&e.Value.Item, store.Monotonic()) && s.valid(e.Value)
}
