package docs

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

func (c *call) goCommand(ctx context.Context) error {
	if len(c.args) < 3 {
		return errors.New("docs-test knows go get, install, run and test, of packages")
	}
	switch c.args[1] {
	case "get", "install":
		return c.goGet(ctx)
	case "run":
		return c.goRun(ctx)
	case "test":
		return c.goTest(ctx)
	}
	return fmt.Errorf("docs-test does not know go %s", c.args[1])
}

// goGet checks that the packages are ours.
func (c *call) goGet(ctx context.Context) error {
	for _, arg := range c.args[2:] {
		if strings.HasPrefix(arg, "-") {
			if err := knownToGo(ctx, arg, c.args[1]); err != nil {
				return err
			}
			continue
		}
		path, _, _ := strings.Cut(arg, "@")
		if path != module && !strings.HasPrefix(path, module+"/") {
			return fmt.Errorf("%s is not ours", path)
		}
		if err := command(ctx, c.root, "go", "list", path); err != nil {
			return err
		}
	}
	return nil
}

// knownToGo looks for a flag in what go help says of the topics.
func knownToGo(ctx context.Context, flag string, topics ...string) error {
	name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
	pattern := regexp.MustCompile(`(?m)(?:^\t|\[)-` + regexp.QuoteMeta(name) + `\b`)
	for _, topic := range topics {
		help, err := output(ctx, ".", "go", "help", topic)
		if err != nil {
			return err
		}
		if pattern.MatchString(help) {
			return nil
		}
	}
	return fmt.Errorf("go help %v does not know -%s", topics, name)
}

// switches are the flags of go test that take no value.
var switches = []string{"a", "asan", "benchmem", "c", "cover", "failfast", "fullpath", "json", "msan", "n", "race", "short", "v", "x"}

// goTest compiles the packages with the tags, and looks for what the patterns name. It
// runs nothing.
func (c *call) goTest(ctx context.Context) error {
	patterns := make(map[string]string) // by the flag
	var list []string                   // of arguments
	for i := 2; i < len(c.args) && c.args[i] != "-args"; i++ {
		arg := c.args[i]
		if !strings.HasPrefix(arg, "-") {
			list = append(list, arg)
			continue
		}
		if err := knownToGo(ctx, arg, "testflag", "test", "build"); err != nil {
			return err
		}
		name, value, has := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !has && !slices.Contains(switches, name) && i+1 < len(c.args) {
			i++
			value = c.args[i]
		}
		switch name {
		case "run", "bench", "fuzz":
			patterns[name], _, _ = strings.Cut(value, "/")
		case "tags":
			list = append([]string{"-tags", value}, list...)
		}
	}
	for name, prefix := range map[string]string{"run": "Test|Example", "bench": "Benchmark", "fuzz": "Fuzz"} {
		pattern, given := patterns[name]
		if !given || pattern == "^$" {
			continue
		}
		names, err := output(ctx, c.at("."), "go", append([]string{"test", "-list", pattern}, list...)...)
		if err != nil {
			return err
		}
		if !regexp.MustCompile(`(?m)^(?:` + prefix + `)`).MatchString(names) {
			return fmt.Errorf("-%s %s matches nothing", name, pattern)
		}
	}
	return command(ctx, c.at("."), "go", append([]string{"test", "-count=1", "-run", "^$"}, list...)...)
}

// A binary is a program that go run has been told to run.
type binary struct {
	path string
	help map[string]string // what it says to -h, by its subcommand
}

// A program is a binary as a page runs it, if that listens.
type program struct {
	binary  *binary
	command []string // the subcommand, if it has one
	listen  string   // the flag that says where
	args    []string // its other arguments
}

var (
	helpFlag   = regexp.MustCompile(`(?m)^\s+-([\w-]+)`)
	listenFlag = regexp.MustCompile(`(?m)^\s+-([\w-]+).*\n.*default "(?:localhost)?:8080"`)
)

// goRun builds the program, and checks that it knows its flags. One that listens is
// started when curl asks for it.
func (c *call) goRun(ctx context.Context) error {
	pkg, args := c.args[2], c.args[3:]
	if !strings.HasPrefix(pkg, ".") {
		return errors.New("docs-test knows go run of a directory")
	}
	bin, err := c.build(ctx, c.dir, pkg)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-") })
	if n < 0 {
		n = len(args)
	}
	p := program{binary: bin, command: args[:n]}
	help, err := bin.helpOf(ctx, p.command)
	if err != nil {
		return err
	}
	if listen := listenFlag.FindStringSubmatch(help); listen != nil {
		p.listen = listen[1]
	}
	addr := everyonesAddr
	for args = args[n:]; len(args) > 0; args = args[1:] {
		name, value, has := strings.Cut(strings.TrimLeft(args[0], "-"), "=")
		if strings.HasPrefix(args[0], "-") && !slices.ContainsFunc(helpFlag.FindAllStringSubmatch(help, -1), func(known []string) bool { return known[1] == name }) {
			return fmt.Errorf("its help does not list -%s", name)
		}
		if name != p.listen {
			p.args = append(p.args, args[0])
			continue
		}
		if !has && len(args) > 1 {
			args = args[1:]
			value = args[0]
		}
		addr = value
	}
	if p.listen == "" {
		return nil
	}
	if strings.HasPrefix(addr, ":") {
		addr = "localhost" + addr
	}
	return c.stage(addr, p)
}

// build builds a package as go run would in dir.
func (h *house) build(ctx context.Context, dir, pkg string) (*binary, error) {
	key := filepath.Join(dir, pkg)
	if h.binaries[key] == nil {
		path := filepath.Join(h.dir, "program-"+strings.ReplaceAll(key, string(filepath.Separator), "-"))
		if err := command(ctx, filepath.Join(h.root, dir), "go", "build", "-o", path, pkg); err != nil {
			return nil, err
		}
		h.binaries[key] = &binary{path: path, help: make(map[string]string)}
	}
	return h.binaries[key], nil
}

// helpOf returns what the program says to -h. It may call that a failure.
func (b *binary) helpOf(ctx context.Context, subcommand []string) (string, error) {
	key := strings.Join(subcommand, " ")
	if help, ok := b.help[key]; ok {
		return help, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, b.path, append(slices.Clone(subcommand), "-h")...).CombinedOutput()
	if ctx.Err() != nil {
		return "", fmt.Errorf("it does not answer -h: %w", ctx.Err())
	}
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 2) {
		return "", fmt.Errorf("-h: %w\n%s", err, out)
	}
	b.help[key] = string(out)
	return b.help[key], nil
}

// stage has p be what listens on addr, and ends what did before.
func (s *stand) stage(addr string, p program) error {
	s.programs[addr] = p
	if srv := s.servers[addr]; srv != nil {
		delete(s.servers, addr)
		return srv.end()
	}
	return nil
}

// realAddr returns where what the page has at addr really is, and starts it if need be:
// Redis, a program that the page has run, or examples/chi.
func (s *stand) realAddr(ctx context.Context, addr string) (string, error) {
	if addr == "localhost:6379" {
		return s.needRedis(ctx)
	}
	if srv := s.servers[addr]; srv != nil {
		return srv.addr, nil
	}
	p, known := s.programs[addr]
	if !known {
		bin, err := s.build(ctx, "", "./examples/chi")
		if err != nil {
			return "", err
		}
		p = program{binary: bin, listen: "addr"}
	}
	actual, err := redistest.FreeAddr()
	if err != nil {
		return "", err
	}
	args := append(slices.Clone(p.command), "-"+p.listen, actual)
	for _, arg := range p.args {
		arg, err := s.substitute(ctx, arg)
		if err != nil {
			return "", err
		}
		args = append(args, arg)
	}
	srv, err := start(ctx, actual, s.dir, p.binary.path, args...)
	if err != nil {
		return "", err
	}
	s.servers[addr] = srv
	return actual, nil
}
