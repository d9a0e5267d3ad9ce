package admin_test

import (
	"context"

	"github.com/reprise-go/reprise/store"
)

// A pinger is a store that is as it is told.
type pinger struct {
	store.Health
	err error
}

func (p pinger) Ping(context.Context) (store.Health, error) { return p.Health, p.err }
