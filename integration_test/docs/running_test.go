package docs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

// A program is a binary as a page runs it, if that listens.
type program struct {
	binary  string
	command []string // the subcommand, if it has one
	args    []string // its arguments, but for where to listen
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
	p, addr := program{binary: bin, command: args[:n]}, everyonesAddr
	if n < len(args) {
		if addr, err = p.take(ctx, args[n:]); err != nil {
			return err
		}
	}
	if listens, err := mentions(c.at(pkg), ":8080"); err != nil || !listens {
		return err
	}
	return c.stage(addr, p)
}

// take checks the flags among args, keeps them, and returns where they have p listen.
func (p *program) take(ctx context.Context, args []string) (addr string, err error) {
	help, err := p.help(ctx)
	if err != nil {
		return "", err
	}
	addr = everyonesAddr
	for i := 0; i < len(args); i++ {
		name, value, has := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if strings.HasPrefix(args[i], "-") && !help.knows(name) {
			return "", fmt.Errorf("its help does not list -%s", name)
		}
		if name != help.listen {
			p.args = append(p.args, args[i])
			continue
		}
		if i++; has {
			i--
		} else if i < len(args) {
			value = args[i]
		}
		addr = value
	}
	if strings.HasPrefix(addr, ":") {
		addr = "localhost" + addr
	}
	return addr, nil
}

// mentions tells whether a Go file of a directory has text in it.
func mentions(dir, text string) (bool, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return false, err
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return false, err
		}
		if strings.Contains(string(source), text) {
			return true, nil
		}
	}
	return false, nil
}

// build builds a package as go run would in dir.
func (h *house) build(ctx context.Context, dir, pkg string) (string, error) {
	key := filepath.Join(dir, pkg)
	if h.binaries[key] == "" {
		path := filepath.Join(h.dir, "program-"+strings.ReplaceAll(key, string(filepath.Separator), "-"))
		if err := command(ctx, filepath.Join(h.root, dir), "go", "build", "-ldflags=-s -w", "-o", path, pkg); err != nil {
			return "", err
		}
		h.binaries[key] = path
	}
	return h.binaries[key], nil
}

// A help is what a program says to -h.
type help struct {
	flags  []string
	listen string // the flag that says where; or ""
}

func (h help) knows(flag string) bool { return slices.Contains(h.flags, flag) }

// help asks the program, which may call that a failure, for its flags.
func (p *program) help(ctx context.Context) (help, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, p.binary, append(slices.Clone(p.command), "-h")...).CombinedOutput()
	if ctx.Err() != nil {
		return help{}, fmt.Errorf("it does not answer -h: %w", ctx.Err())
	}
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 2) {
		return help{}, fmt.Errorf("-h: %w\n%s", err, out)
	}
	var h help
	for _, flag := range helpFlag.FindAllSubmatch(out, -1) {
		h.flags = append(h.flags, string(flag[1]))
	}
	if flag := listenFlag.FindSubmatch(out); flag != nil {
		h.listen = string(flag[1])
	}
	return h, nil
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
		p = program{binary: bin}
	}
	help, err := p.help(ctx)
	if err != nil {
		return "", err
	}
	if help.listen == "" {
		return "", fmt.Errorf("what runs at %s has no flag for another address", addr)
	}
	actual, err := redistest.FreeAddr()
	if err != nil {
		return "", err
	}
	args := append(slices.Clone(p.command), "-"+help.listen, actual)
	for _, arg := range p.args {
		arg, err := s.substitute(ctx, arg)
		if err != nil {
			return "", err
		}
		args = append(args, arg)
	}
	srv, err := start(ctx, actual, s.dir, p.binary, args...)
	if err != nil {
		return "", err
	}
	s.servers[addr] = srv
	return actual, nil
}
