package docs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

const module = "github.com/reprise-go/reprise"

// A call is one command of a block, with what came before it.
type call struct {
	*stand
	args []string // without assignments before the command's name
	raw  string   // as the page has it
	env  []string // those assignments
	dir  string   // from root: where it runs
	want string   // the status that curl is to print; "": 2xx or 3xx
}

// shellCommands are what pages may say in a block of sh.
var shellCommands = map[string]func(*call, context.Context) error{
	"cd":           (*call).cd,
	"curl":         (*call).pipe,
	"git":          (*call).git,
	"go":           (*call).goCommand,
	"make":         (*call).makeTarget,
	"prometheus":   (*call).prometheus,
	"promtool":     (*call).pipe,
	"redis-cli":    (*call).pipe,
	"redis-server": (*call).redisServer,
}

var (
	endless = regexp.MustCompile(`^while :; do (.*); done$`)
	toNull  = regexp.MustCompile(` *>/dev/null\b`)
)

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// checkShell executes the commands of a block, one after another.
func (s *stand) checkShell(ctx context.Context, b block) error {
	want := ""
	for _, said := range b.says {
		status, ok := strings.CutPrefix(said, "status ")
		if !ok || want != "" {
			return fmt.Errorf("a docs-test comment says %q, and sh knows one status", b.says)
		}
		want = status
	}
	dir, asked := s.home, false
	for line := range strings.SplitSeq(strings.ReplaceAll(b.text, "\\\n", ""), "\n") {
		calls, err := s.calls(line)
		if err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
		for _, c := range calls {
			c.dir, c.want = dir, want
			if err := c.execute(ctx); err != nil {
				return fmt.Errorf("%s: %w", c.raw, err)
			}
			dir = c.dir
			asked = asked || slices.Contains(c.args, "curl")
		}
	}
	if want != "" && !asked {
		return errors.New("a docs-test comment says a status, and there is no curl")
	}
	return nil
}

// calls takes a line apart at && and ;. What is to be done for ever is done once.
func (s *stand) calls(line string) ([]*call, error) {
	line = toNull.ReplaceAllString(line, "")
	if loop := endless.FindStringSubmatch(line); loop != nil {
		line = loop[1]
	}
	words, err := split(line, "|&;<>")
	if err != nil {
		return nil, err
	}
	var all []*call
	for len(words) > 0 {
		n := slices.IndexFunc(words, func(w word) bool { return w.operator && (w.text == "&&" || w.text == ";") })
		if n < 0 {
			n = len(words)
		}
		if n == 0 {
			return nil, errors.New("a command is missing")
		}
		own := words[:n]
		words = words[min(n+1, len(words)):]
		c := &call{stand: s, raw: line[own[0].start:own[n-1].end], args: texts(own)}
		for len(c.args) > 0 && assignment.MatchString(c.args[0]) {
			c.env, c.args = append(c.env, c.args[0]), c.args[1:]
		}
		for _, w := range own {
			if w.operator && w.text != "|" {
				return nil, fmt.Errorf("docs-test does not know what to do with %s", w.text)
			}
		}
		all = append(all, c)
	}
	return all, nil
}

func (c *call) execute(ctx context.Context) error {
	if len(c.args) == 0 {
		return errors.New("there is no command")
	}
	execute, known := shellCommands[c.args[0]]
	if !known {
		return errors.New("docs-test knows no such command")
	}
	if slices.Contains(c.args, "|") && !slices.Contains(piped, c.args[0]) {
		return errors.New("docs-test does not pipe this command")
	}
	return execute(c, ctx)
}

// at returns the absolute name of what the command sees at name.
func (c *call) at(name string) string { return filepath.Join(c.root, c.dir, name) }

func (c *call) cd(context.Context) error {
	if len(c.args) != 2 {
		return errors.New("cd takes one directory")
	}
	if c.dir == "." && c.args[1] == filepath.Base(module) {
		return nil // what git clone has made
	}
	to := filepath.Join(c.dir, c.args[1])
	if !filepath.IsLocal(to) {
		return errors.New("this leaves the repository")
	}
	info, err := os.Stat(filepath.Join(c.root, to))
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.New("this is no directory")
	}
	c.dir = to
	return nil
}

func (c *call) git(context.Context) error {
	if len(c.args) != 3 || c.args[1] != "clone" {
		return errors.New("docs-test knows git clone with a URL")
	}
	if strings.TrimSuffix(c.args[2], ".git") != "https://"+module {
		return fmt.Errorf("the repository is https://%s", module)
	}
	return nil
}

var (
	listedTarget = regexp.MustCompile(`(?m)^ *\x1b\[1m([a-z-]+)`)
	makeVariable = regexp.MustCompile(`^[A-Z_]+=`)
)

// makeTarget checks that make has the targets, that make help lists them, and that the
// Makefile knows the variables.
func (c *call) makeTarget(ctx context.Context) error {
	makefile, err := os.ReadFile(c.at("Makefile"))
	if err != nil {
		return err
	}
	if c.targets == nil {
		help, err := output(ctx, c.root, "make", "help")
		if err != nil {
			return err
		}
		for _, target := range listedTarget.FindAllStringSubmatch(help, -1) {
			c.targets = append(c.targets, target[1])
		}
	}
	for _, arg := range c.args[1:] {
		if variable := makeVariable.FindString(arg); variable != "" {
			if !regexp.MustCompile(`\b` + strings.TrimSuffix(variable, "=") + `\b`).Match(makefile) {
				return fmt.Errorf("the Makefile does not know %s", variable)
			}
		} else if !slices.Contains(c.targets, arg) {
			return fmt.Errorf("make help does not list %s", arg)
		}
	}
	return command(ctx, c.at("."), "make", append([]string{"-n"}, c.args[1:]...)...)
}

// redisServer starts a server in the place of the page's Redis.
func (c *call) redisServer(ctx context.Context) error {
	var args []string
	for i := 1; i < len(c.args); i++ {
		switch c.args[i] {
		case "--port", "--bind":
			i++ // not where it is to listen here
		default:
			args = append(args, c.args[i])
		}
	}
	addr, end, err := redistest.Start(ctx, args...)
	if err != nil {
		return err
	}
	if c.endRedis != nil {
		err = c.endRedis()
	}
	c.redis, c.endRedis = addr, end
	return err
}

// prometheusAddr is where the page has its Prometheus.
const prometheusAddr = "localhost:9090"

// prometheus starts one with a directory and an address of its own.
func (c *call) prometheus(ctx context.Context) error {
	path, err := prometheus.Find(ctx, say)
	if err != nil {
		return err
	}
	addr, err := redistest.FreeAddr()
	if err != nil {
		return err
	}
	data, err := os.MkdirTemp(c.house.dir, "prometheus")
	if err != nil {
		return err
	}
	args := append(slices.Clone(c.args[1:]), "--web.listen-address="+addr, "--storage.tsdb.path="+data)
	p := &program{listens: []string{prometheusAddr}, actual: map[string]string{prometheusAddr: addr}}
	if p.running, err = start(ctx, []string{addr}, c.at("."), path, args...); err != nil {
		return err
	}
	return c.stage(p)
}
