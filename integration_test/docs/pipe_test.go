package docs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/reprise-go/reprise/integration_test/debian"
)

// piped are the commands that a shell executes, filters what they may be piped into.
var (
	piped   = []string{"curl", "promtool", "redis-cli"}
	filters = []string{"grep", "head", "sort"}
)

var (
	redisCLI = debian.Program{
		Names: []string{"redis-cli"}, Package: "redis-tools",
		Missing: errors.New("this machine has no redis-cli: install it (Debian, Ubuntu: apt-get install redis-tools; macOS: brew install redis)"),
	}
	curl = debian.Program{
		Names: []string{"curl"}, Package: "curl",
		Missing: errors.New("this machine has no curl: install it"),
	}
	needed = map[string]debian.Program{"curl": curl, "promtool": promtool, "redis-cli": redisCLI}
)

// shellPrelude has curl tell the status of each answer, and not the progress.
const shellPrelude = `set -o pipefail
curl() { command curl -sS --max-time 30 "$@" -w '%{stderr}docs-test status %{http_code}\n'; }
`

var (
	localAddr  = regexp.MustCompile(`\b(?:localhost|127\.0\.0\.1):(\d+)`)
	cliAddress = regexp.MustCompile(`\bredis-cli(?: +-[hpu] +\S+)*`)
	told       = regexp.MustCompile(`(?m)^docs-test status (\d+)$`)
)

// pipe executes a command, and those that it is piped into, with real addresses in the
// place of the page's.
func (c *call) pipe(ctx context.Context) error {
	for i, arg := range c.args {
		if i > 0 && c.args[i-1] != "|" {
			continue
		}
		if !slices.Contains(piped, arg) && (i == 0 || !slices.Contains(filters, arg)) {
			return fmt.Errorf("docs-test does not know what to do with %s in a pipe", arg)
		}
		if program, ok := needed[arg]; ok {
			if _, err := program.Find(ctx, say); err != nil {
				return err
			}
		}
	}
	asks := slices.Contains(c.args, "curl")
	if asks && !localAddr.MatchString(c.raw) {
		return errors.New("curl asks none of our programs, which are at localhost")
	}
	text, err := c.substitute(ctx, c.raw)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", shellPrelude+text)
	cmd.Dir, cmd.Env = c.at("."), append(os.Environ(), c.env...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w\n%s%s", err, out.Bytes(), stderr.Bytes())
	}
	if asks {
		return c.judge(stderr.String(), out.String())
	}
	return nil
}

// substitute puts the addresses where servers really are in the place of the page's, and
// starts those that do not run yet.
func (s *stand) substitute(ctx context.Context, text string) (string, error) {
	if cliAddress.MatchString(text) {
		addr, err := s.needRedis(ctx)
		if err != nil {
			return "", err
		}
		host, port, _ := strings.Cut(addr, ":")
		text = cliAddress.ReplaceAllString(text, fmt.Sprintf("redis-cli -e -h %s -p %s", host, port))
	}
	var errs []error
	text = localAddr.ReplaceAllStringFunc(text, func(addr string) string {
		actual, err := s.realAddr(ctx, "localhost:"+localAddr.FindStringSubmatch(addr)[1])
		errs = append(errs, err)
		return actual
	})
	return text, errors.Join(errs...)
}

// judge looks at the statuses that curl was answered.
func (c *call) judge(stderr, out string) error {
	statuses := told.FindAllStringSubmatch(stderr, -1)
	if statuses == nil {
		return fmt.Errorf("curl told no status\n%s", stderr)
	}
	for _, status := range statuses {
		ok := status[1] == c.want
		if c.want == "" {
			ok = status[1][0] == '2' || status[1][0] == '3'
		}
		if !ok {
			return fmt.Errorf("curl was answered %s\n%s", status[1], out)
		}
	}
	return nil
}
