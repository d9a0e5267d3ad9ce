package redistest

import (
	"context"
	"errors"
	"os"
)

// StartWith is Start with args behind the usual ones. An error tells what the server
// said last if it did not start.
func StartWith(ctx context.Context, args ...string) (addr string, end func() error, err error) {
	p, err := startProcess(ctx, report, "", args)
	if err != nil {
		return "", nil, err
	}
	return p.addr, func() error { return errors.Join(p.kill(), os.RemoveAll(p.dir)) }, nil
}
