package docs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

func TestMain(m *testing.M) { redistest.Main(m) }

// perBlock bounds one block: a build of what is not in the build cache yet, and
// whatever it then does.
const perBlock = 3 * time.Minute

// Every block of every page does what a block of its kind has to.
func TestBlocks(t *testing.T) {
	h := newHouse(t)
	blocks := 0
	for _, p := range pages(t) {
		for _, fault := range p.faults {
			t.Error(fault)
		}
		s := h.stand(p.name)
		for _, b := range p.blocks {
			blocks++
			t.Run(b.name(), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), perBlock)
				defer cancel()
				if err := s.check(ctx, b); err != nil {
					t.Error(err)
				}
			})
		}
		if err := s.close(); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
	}
	if blocks < 60 {
		t.Errorf("only %d blocks found", blocks)
	}
}

// A house has what all pages share: what is built and compiled once.
type house struct {
	root     string // absolute
	dir      string // for files that tests make
	compiler *compiler
	binaries map[string]string // by package and the directory that it is seen from
	targets  []string          // what make help lists
}

func newHouse(t *testing.T) *house {
	t.Helper()
	abs, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newCompiler(t.Context(), "testdata/prelude.go")
	if err != nil {
		t.Fatal(err)
	}
	return &house{root: abs, dir: t.TempDir(), compiler: c, binaries: make(map[string]string)}
}

// A stand is one page at work. Its blocks come one after another, as they are read:
// what one starts is there for those that follow.
type stand struct {
	*house
	home     string              // where its commands run, from root: the directory of its module
	programs map[string]*program // by the addresses that the page has them at
	redis    string              // the address of its Redis; "" until it is needed
	endRedis func() error
}

func (h *house) stand(page string) *stand {
	s := &stand{house: h, home: ".", programs: make(map[string]*program)}
	if _, err := os.Stat(filepath.Join(root, filepath.Dir(page), "go.mod")); err == nil {
		s.home = filepath.Dir(page)
	}
	return s
}

// needRedis starts the page's Redis, which listens on localhost:6379 as the page sees
// it.
func (s *stand) needRedis(ctx context.Context) (addr string, err error) {
	if s.redis == "" {
		s.redis, s.endRedis, err = redistest.Start(ctx)
	}
	return s.redis, err
}

// close ends what the page's commands have started.
func (s *stand) close() error {
	var errs []error
	for _, p := range s.programs {
		if p.running != nil {
			errs = append(errs, p.running.end())
		}
	}
	if s.endRedis != nil {
		errs = append(errs, s.endRedis())
	}
	return errors.Join(errs...)
}

// check executes one block. Errors name its page and line.
func (s *stand) check(ctx context.Context, b block) error {
	kinds := map[string]func(context.Context, block) error{
		"go":     s.checkGo,
		"sh":     s.checkShell,
		"conf":   s.checkConf,
		"redis":  s.checkRedis,
		"promql": s.checkPromQL,
		"yaml":   s.checkYAML,
		"json":   s.checkJSON,
		"text":   notExecuted,
		"":       notExecuted,
	}
	execute, known := kinds[b.info]
	if !known {
		return fmt.Errorf("%s: a block of %q: docs-test knows no such kind", b.name(), b.info)
	}
	if err := execute(ctx, b); err != nil {
		return fmt.Errorf("%s: %w", b.name(), err)
	}
	return nil
}

func (s *stand) checkGo(ctx context.Context, b block) error {
	if strings.HasPrefix(packageOf(b.text), "package ") {
		return s.checkFile(ctx, b)
	}
	if err := b.saysNothing(); err != nil {
		return err
	}
	return s.compiler.check(b)
}

func notExecuted(_ context.Context, b block) error { return b.saysNothing() }

// saysNothing refuses comments where a block of this kind has no use for one.
func (b block) saysNothing() error {
	if len(b.says) > 0 {
		return fmt.Errorf("a docs-test comment says %q, and this block has no use for it", b.says)
	}
	return nil
}
