package observability

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/reprise-go/reprise/integration_test/debian"
)

const module = "github.com/reprise-go/reprise"

var (
	errNoPrometheus = errors.New("this machine has no Prometheus: install it (Debian, Ubuntu: apt-get install prometheus; macOS: brew install prometheus)")

	prometheus = debian.Program{Names: []string{"prometheus"}, Package: "prometheus", Missing: errNoPrometheus}
	promtool   = debian.Program{Names: []string{"promtool"}, Package: "prometheus", Missing: errNoPrometheus}
)

func say(format string, args ...any) { fmt.Printf("prometheus: "+format+"\n", args...) }

// Root returns the directory of the module whose examples these are.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w", module, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// A Stack is examples/chi, and a Prometheus that scrapes it by the files of
// examples/observability.
type Stack struct {
	App        string // URLs, as http://host:port
	Prometheus string
	Dashboard  Dashboard

	dir      string
	ours     []*process // in the order of their starts
	examples string
}

// Start starts a Stack on the Redis at addr.
func Start(ctx context.Context, redis string) (*Stack, error) {
	s := &Stack{}
	err := s.start(ctx, redis)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context, redis string) error {
	root, err := Root(ctx)
	if err != nil {
		return err
	}
	s.examples = filepath.Join(root, "examples", "observability")
	if s.Dashboard, err = readDashboard(filepath.Join(s.examples, "dashboard.json")); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "observability-"); err != nil {
		return err
	}
	if s.App, err = s.startApp(ctx, redis); err != nil {
		return err
	}
	if s.Prometheus, err = s.startPrometheus(ctx); err != nil {
		return err
	}
	return s.awaitScrape(ctx)
}

// awaitScrape returns when Prometheus has seen the program once: what happens before
// is in no rate.
func (s *Stack) awaitScrape(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for began := time.Now(); ; {
		if seen, err := s.api().query(ctx, "reprise_store_up", began, time.Now()); err != nil || len(seen) > 0 {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%s scrapes nothing: %w", s.Prometheus, ctx.Err())
		}
	}
}

func (s *Stack) startApp(ctx context.Context, redis string) (url string, err error) {
	binary := filepath.Join(s.dir, "chi")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, module+"/examples/chi").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build examples/chi: %w: %s", err, out)
	}
	return s.add(serve(ctx, "/metrics", func(addr string) *exec.Cmd {
		return exec.Command(binary, "-addr", addr, "-redis", "redis://"+redis)
	}))
}

func (s *Stack) startPrometheus(ctx context.Context) (url string, err error) {
	binary, err := prometheus.Find(ctx, say)
	if err != nil {
		return "", err
	}
	config, err := s.settings()
	if err != nil {
		return "", err
	}
	return s.add(serve(ctx, "/-/ready", func(addr string) *exec.Cmd {
		return exec.Command(binary, "--config.file="+config, "--web.listen-address="+addr, "--log.level=warn",
			"--storage.tsdb.path="+filepath.Join(s.dir, "data"), "--enable-feature=exemplar-storage")
	}))
}

func (s *Stack) add(p *process, err error) (url string, _ error) {
	if err != nil {
		return "", err
	}
	s.ours = append(s.ours, p)
	return p.url, nil
}

// every is how often this Prometheus scrapes, and evaluates its rules.
const every = "1s"

// settings writes the files of the example, with what is different here, and returns
// where the config is.
func (s *Stack) settings() (config string, err error) {
	rules, err := os.ReadFile(filepath.Join(s.examples, "rules.yml"))
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "rules.yml"), rules, 0o600); err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(s.examples, "prometheus.yml"))
	if err != nil {
		return "", err
	}
	here := string(text)
	for _, change := range [][2]string{
		{"scrape_interval: 15s", "scrape_interval: " + every},
		{"evaluation_interval: 15s", "evaluation_interval: " + every},
		{"localhost:8080", strings.TrimPrefix(s.App, "http://")},
	} {
		if strings.Count(here, change[0]) != 1 {
			return "", fmt.Errorf("prometheus.yml does not say %q once", change[0])
		}
		here = strings.Replace(here, change[0], change[1], 1)
	}
	config = filepath.Join(s.dir, "prometheus.yml")
	return config, os.WriteFile(config, []byte(here), 0o600)
}

// Close ends what Start has started, and removes what it has written.
func (s *Stack) Close() error {
	var errs []error
	for i := len(s.ours) - 1; i >= 0; i-- {
		errs = append(errs, s.ours[i].stop())
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}
