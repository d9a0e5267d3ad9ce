package docs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

// everyonesAddr is where programs of the documentation listen. Tests put a free
// address in its place.
const everyonesAddr = "localhost:8080"

// packageOf returns the first line of a Go file that is no comment.
func packageOf(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			return line
		}
	}
	return ""
}

// checkFile builds and runs a whole file. It has the requirements of this module,
// which are all that pages may use.
func (s *stand) checkFile(ctx context.Context, b block) error {
	addr, err := redistest.FreeAddr()
	if err != nil {
		return err
	}
	listens := strings.Contains(b.text, everyonesAddr)
	name, isMain := "shop_test.go", packageOf(b.text) == "package main"
	if isMain {
		name = "main.go"
	}
	if !isMain || !listens {
		if err := b.saysNothing(); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp(s.dir, "file")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(b.text, everyonesAddr, addr)), 0o600); err != nil {
		return err
	}
	if !isMain {
		return testFile(ctx, file, b.text)
	}
	bin := filepath.Join(dir, "main")
	if err := command(ctx, ".", "go", "build", "-ldflags=-s -w", "-o", bin, file); err != nil {
		return err
	}
	if !listens {
		return command(ctx, dir, bin)
	}
	return askTwice(ctx, bin, addr, b.says)
}

// testFile runs the tests of a file that has some, and vets any other.
func testFile(ctx context.Context, file, text string) error {
	if strings.Contains(text, "\nfunc Test") {
		return command(ctx, ".", "go", "test", "-count=1", file)
	}
	return command(ctx, ".", "go", "vet", file)
}

// command runs a program in dir, and has its output in the error if that fails.
func command(ctx context.Context, dir, name string, args ...string) error {
	_, err := output(ctx, dir, name, args...)
	return err
}

// output is command with what the program said.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// askTwice starts a program that listens on addr, and asks it for what the page says:
// a miss, and then a hit.
func askTwice(ctx context.Context, bin, addr string, says []string) (err error) {
	if len(says) != 1 || !strings.HasPrefix(says[0], "GET /") {
		return errors.New("what to ask this program? Say it before the block: <!-- docs-test: GET /path -->")
	}
	srv, err := start(ctx, []string{addr}, filepath.Dir(bin), bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.end()) }()
	url := "http://" + addr + strings.TrimPrefix(says[0], "GET ")
	for _, want := range []string{"MISS", "HIT"} {
		if err := ask(ctx, url, want); err != nil {
			return err
		}
	}
	return nil
}

// ask expects a 200 whose X-Cache is want.
func ask(ctx context.Context, url, want string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if got := res.Header.Get("X-Cache"); res.StatusCode != http.StatusOK || got != want {
		return fmt.Errorf("%s: %s, X-Cache %q, and not 200, %s\n%s", url, res.Status, got, want, body)
	}
	return nil
}
