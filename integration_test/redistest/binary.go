package redistest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"github.com/reprise-go/reprise/integration_test/debian"
)

// redisServer is the program, and the sentence a person needs who has nothing to
// test against.
var redisServer = debian.Program{
	Names: []string{"redis-server", "valkey-server"}, Package: "redis-server",
	Missing: errors.New("this machine has no redis-server: set REDIS_ADDR=host:port, start Docker, " +
		"or install it (Debian, Ubuntu: apt-get install redis-server; Fedora: dnf install valkey; macOS: brew install redis)"),
}

// binary finds redis-server on this machine, and installs it where that is
// ours to do.
func binary(ctx context.Context, say reporter) (string, error) { return redisServer.Find(ctx, say) }

// Ensure makes sure that a redis-server can be started on this machine. Tests
// that share a module with this package need not call it: Process does.
func Ensure() error {
	_, err := binary(context.Background(), report)
	return err
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
