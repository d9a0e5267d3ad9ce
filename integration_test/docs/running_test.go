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

// A program is a binary as a page runs it.
type program struct {
	binary  string
	command []string // the subcommand, if it has one
	args    []string // its arguments, but for the flag that says where to listen
	listens []string // the addresses that the page has it at; first the one that flag is for

	running *server           // nil until it is asked
	actual  map[string]string // where those addresses really are
}

// redisAddr is where the page has its Redis.
const redisAddr = "localhost:6379"

var (
	helpFlag   = regexp.MustCompile(`(?m)^\s+-([\w-]+)`)
	listenFlag = regexp.MustCompile(`(?m)^\s+-([\w-]+).*\n.*default "(?:localhost)?:8080"`)
	bareAddr   = regexp.MustCompile(`^(?:localhost|127\.0\.0\.1)?(:\d+)$`)
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
	p := &program{binary: bin, command: args[:n], listens: []string{everyonesAddr}}
	if n < len(args) {
		if err := p.take(ctx, args[n:]); err != nil {
			return err
		}
	}
	if listens, err := mentions(c.at(pkg), ":8080"); err != nil || !listens {
		return err
	}
	return c.stage(p)
}

// take checks the flags among args and keeps them. A flag that has an address without
// a scheme says where to listen.
func (p *program) take(ctx context.Context, args []string) error {
	help, err := p.help(ctx)
	if err != nil {
		return err
	}
	for i := 0; i < len(args); i++ {
		name, value, _ := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if !strings.HasPrefix(args[i], "-") {
			p.args = append(p.args, args[i])
			continue
		}
		if !slices.Contains(help.flags, name) {
			return fmt.Errorf("its help does not list -%s", name)
		}
		if value == "" && i+1 < len(args) && bareAddr.MatchString(args[i+1]) {
			i++
			value = args[i]
		}
		port := bareAddr.FindStringSubmatch(value)
		switch {
		case port == nil || "localhost"+port[1] == redisAddr:
			p.args = append(p.args, args[i])
		case name == help.listen:
			p.listens[0] = "localhost" + port[1]
		default:
			p.args = append(p.args, "-"+name, "localhost"+port[1])
			p.listens = append(p.listens, "localhost"+port[1])
		}
	}
	return nil
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

// stage has p be what listens on its addresses, and ends what did before.
func (s *stand) stage(p *program) error {
	var errs []error
	for _, addr := range p.listens {
		if before := s.programs[addr]; before != nil && before.running != nil {
			errs = append(errs, before.running.end())
		}
		s.programs[addr] = p
	}
	return errors.Join(errs...)
}

// realAddr returns where what the page has at addr really is, and starts it if need be:
// Redis, a program that the page has run, or examples/chi.
func (s *stand) realAddr(ctx context.Context, addr string) (string, error) {
	if addr == redisAddr {
		return s.needRedis(ctx)
	}
	if s.programs[addr] == nil {
		bin, err := s.build(ctx, ".", "./examples/chi")
		if err != nil {
			return "", err
		}
		s.programs[addr] = &program{binary: bin, listens: []string{addr}}
	}
	p := s.programs[addr]
	if p.running == nil {
		if err := s.run(ctx, p); err != nil {
			return "", err
		}
	}
	return p.actual[addr], nil
}

// run starts p at free addresses.
func (s *stand) run(ctx context.Context, p *program) error {
	help, err := p.help(ctx)
	if err != nil {
		return err
	}
	if help.listen == "" {
		return fmt.Errorf("what runs at %s has no flag for another address", p.listens[0])
	}
	p.actual = make(map[string]string)
	var waitFor []string
	for _, addr := range p.listens {
		free, err := redistest.FreeAddr()
		if err != nil {
			return err
		}
		p.actual[addr] = free
		waitFor = append(waitFor, free)
	}
	args := append(slices.Clone(p.command), "-"+help.listen, waitFor[0])
	for _, arg := range p.args {
		actual, own := p.actual[arg]
		if !own {
			if actual, err = s.substitute(ctx, arg); err != nil {
				return err
			}
		}
		args = append(args, actual)
	}
	p.running, err = start(ctx, waitFor, s.dir, p.binary, args...)
	return err
}
