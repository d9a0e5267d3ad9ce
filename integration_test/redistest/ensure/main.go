// Ensure installs redis-server where there is none and that is ours to do, as
// root on a Debian-like system: the tests of store/redisstore stop, freeze and
// kill servers of their own. Elsewhere it says what to install.
package main

import (
	"fmt"
	"os"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

func main() {
	if err := redistest.Ensure(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
