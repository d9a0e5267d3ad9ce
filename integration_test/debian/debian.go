// Package debian finds programs that tests run, and installs them where that is
// ours to do: as root on a Debian-like system.
package debian

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// A Program is what may have any of several names, and is in one package.
type Program struct {
	Names   []string // the one to prefer first
	Package string
	Missing error // what to tell who has none and can have none installed
}

// installing keeps tests that run side by side from installing twice.
var installing sync.Mutex

// Find returns where the program is, and installs its package first if it is
// nowhere. say tells of that.
func (p Program) Find(ctx context.Context, say func(format string, args ...any)) (string, error) {
	installing.Lock()
	defer installing.Unlock()
	if path, err := p.look(); err == nil {
		return path, nil
	}
	if err := p.install(ctx, say); err != nil {
		return "", err
	}
	return p.look()
}

func (p Program) look() (string, error) {
	for _, name := range p.Names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", p.Missing
}

func (p Program) install(ctx context.Context, say func(format string, args ...any)) error {
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return p.Missing
	}
	say("no %s here: apt-get install %s", p.Names[0], p.Package)
	// Other packages' tests, processes of their own, may install as well:
	// wait for dpkg's lock rather than fail on it.
	lock := []string{"-o", "DPkg::Lock::Timeout=180", "-q", "-y"}
	for _, args := range [][]string{{"update"}, {"install", "--no-install-recommends", p.Package}} {
		cmd := exec.CommandContext(ctx, apt, append(lock, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w; apt-get %s failed: %w: %s", p.Missing, args[0], err, lastLine(out))
		}
	}
	return nil
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
