package faults

import (
	"fmt"
	"os"
	"testing"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

func TestMain(m *testing.M) {
	if was, err := serveHolder(); was {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	redistest.Main(m)
}
