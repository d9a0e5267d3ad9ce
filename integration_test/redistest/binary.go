package redistest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
)

// errNoBinary is the sentence a person needs who has nothing to test against.
var errNoBinary = errors.New("this machine has no redis-server: set REDIS_ADDR=host:port, start Docker, " +
	"or install it (Debian, Ubuntu: apt-get install redis-server; Fedora: dnf install valkey; macOS: brew install redis)")

// installing keeps tests that run side by side from installing twice.
var installing sync.Mutex

// binary finds redis-server on this machine, and installs it where that is
// ours to do.
func binary(ctx context.Context, say reporter) (string, error) {
	installing.Lock()
	defer installing.Unlock()
	path, err := lookBinary()
	if err == nil {
		return path, nil
	}
	if err := install(ctx, say); err != nil {
		return "", err
	}
	return lookBinary()
}

// Ensure makes sure that a redis-server can be started on this machine. Tests
// that share a module with this package need not call it: Process does.
func Ensure() error {
	_, err := binary(context.Background(), report)
	return err
}

func lookBinary() (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoBinary
}

// install puts the package redis-server on a Debian-like system.
func install(ctx context.Context, say reporter) error {
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return errNoBinary
	}
	say("no redis-server here: apt-get install redis-server")
	// Other packages' tests, processes of their own, may install as well:
	// wait for dpkg's lock rather than fail on it.
	lock := []string{"-o", "DPkg::Lock::Timeout=180", "-q", "-y"}
	for _, args := range [][]string{{"update"}, {"install", "--no-install-recommends", "redis-server"}} {
		cmd := exec.CommandContext(ctx, apt, append(lock, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w; apt-get %s failed: %w: %s", errNoBinary, args[0], err, lastLine(out))
		}
	}
	return nil
}

var versionPattern = regexp.MustCompile(`\bv=(\d+(\.\d+)+)`)

// binaryVersion returns what the server at path says it is, such as 7.0.15.
func binaryVersion(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", path, err)
	}
	found := versionPattern.FindSubmatch(out)
	if found == nil {
		return "", fmt.Errorf("%s --version tells no version: %q", path, out)
	}
	return string(found[1]), nil
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
