// Package demo runs what README's first command runs, on Redis: two processes of
// examples/catalog that share it. On memory the example's own tests do.
package demo

import (
	"os"
	"os/exec"
	"testing"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

func TestMain(m *testing.M) { redistest.Main(m) }

func TestTheDemoOnRedis(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "run", ".", "demo")
	cmd.Dir = "../../examples/catalog"
	cmd.Env = append(os.Environ(), "REDIS_URL=redis://"+redistest.Addr(t))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
