package attacks

import (
	"testing"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

func TestMain(m *testing.M) { redistest.Main(m) }
