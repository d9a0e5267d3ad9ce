package console

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"github.com/reprise-go/reprise/integration_test/debian"
)

// browser is the context of the Chromium that all tests share, each with a tab of its
// own.
var browser context.Context

func TestMain(m *testing.M) {
	os.Exit(func() int {
		path, err := chromium()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		stop, err := start(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, "Chromium does not start:", err)
			return 1
		}
		code := m.Run()
		if err := errors.Join(stop(), goleak.Find()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return max(code, 1)
		}
		return code
	}())
}

// errNoChromium is the sentence a person needs who has no browser.
var errNoChromium = errors.New("this machine has no Chromium: install it (Debian: apt-get install chromium; Fedora: dnf install chromium; " +
	"macOS: brew install --cask chromium), or set CHROMIUM to its path; as root on a Debian it is installed by apt-get")

// chromium finds a Chromium, and installs it where that is ours to do.
func chromium() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path, nil
	}
	program := debian.Program{Names: []string{"chromium", "chromium-browser", "google-chrome"}, Package: "chromium", Missing: errNoChromium}
	return program.Find(context.Background(), func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) })
}

// farHost is a name of this machine that browsers do not know for one: without TLS they
// send it no Sec-Fetch-Site.
const farHost = "console.test"

// start starts the Chromium at path, and returns what ends it.
func start(path string) (stop func() error, err error) {
	options := slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.Flag("headless", "new"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("host-resolver-rules", "MAP "+farHost+" 127.0.0.1"), chromedp.Flag("force-prefers-reduced-motion", true),
	})
	allocator, release := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		release()
		return nil, err
	}
	browser = ctx
	return func() error {
		err := chromedp.Cancel(ctx)
		cancel()
		release()
		return err
	}, nil
}

// A tab is one page of the browser, with what its console said.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu    sync.Mutex
	wrong []string
}

// newTab opens a tab whose requests carry the password.
func newTab(t *testing.T) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	b := &tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil { // opens it
		t.Fatal(err)
	}
	var listening sync.WaitGroup
	said := chromedp.Console(ctx)
	listening.Go(func() {
		for m, err := range said {
			if err != nil {
				return // the tab is closed
			}
			b.mu.Lock()
			b.wrong = append(b.wrong, fmt.Sprintf("%s: %s %s", m.Type, m.Text, m.URL))
			b.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		cancel()
		listening.Wait()
	})
	if _, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Authorization": authorization}}); err != nil {
		t.Fatal(err)
	}
	return b
}

// complaints returns what the console has said: what the page must never make it say.
// What the Content-Security-Policy forbids is among it, and what was not found.
func (b *tab) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.wrong)
}

// patience is how long the browser may take for one thing.
const patience = 20 * time.Second

// run does one action after another. Those with a selector wait for its element.
func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, action := range actions {
		value(b, action)
	}
}

// value returns what action does.
func value[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// press clicks on a button that leads to another page, and waits until that is loaded.
func (b *tab) press(selector chromedp.CSS) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(selector)); err != nil {
		b.t.Fatalf("%s: %v", selector, err)
	}
}

// script returns what the page's JavaScript makes of expression.
func script[T any](b *tab, expression string) T {
	b.t.Helper()
	return value(b, chromedp.Evaluate[T](expression))
}

// has waits until the element of selector holds all of texts. While the browser goes to
// another page the element may be neither here nor there.
func (b *tab) has(selector chromedp.CSS, texts ...string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	shown := ""
	for {
		once, done := context.WithTimeout(ctx, time.Second)
		got, err := chromedp.Run(once, chromedp.TextContent(selector))
		done()
		if err == nil {
			shown = got
		}
		if err == nil && !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(got, text) }) {
			return
		}
		if ctx.Err() != nil {
			b.t.Fatalf("%s does not come to have all of %q: %q, %v", selector, texts, shown, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
