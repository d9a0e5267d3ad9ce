package console

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/reprise-go/reprise/integration_test/redistest"
)

// The page loads, its charts come to have lines without being loaded again, and nothing
// that it does is complained of.
func TestPageIsLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.run(chromedp.Navigate(s.console(false)))
	b.has("h1", "reprise")
	b.has("#purges", "None by this process.")
	b.run(chromedp.SetValue(chromedp.CSS("#explain-url"), "http://half.typed"))
	script[string](b, `window.loaded = "once"`)
	s.visit()
	if _, err := s.cache.PurgeTags(t.Context(), "product:1"); err != nil {
		t.Fatal(err)
	}
	b.run(
		chromedp.WaitReady(chromedp.CSS("svg.chart path.line")),
		chromedp.WaitReady(chromedp.CSS("#purges table")),
	)
	b.has("#policies", "products", "search", "30 requests in the last ten minutes", "66.7 %")
	b.has("#purges", "product:1", "dropped")
	b.has("#stores", "cache", "ok", "in use")
	b.has("#settings", "products", "5m")
	state := script[[]string](b, `[window.loaded, document.querySelector("#explain-url").value, document.getElementById("trouble").textContent]`)
	if state[0] != "once" || state[1] != "http://half.typed" || state[2] != "" {
		t.Errorf("the page was loaded again, its form touched, or it is in trouble: %q", state)
	}
	if wrong := b.complaints(); len(wrong) != 0 {
		t.Errorf("the browser complains: %q", wrong)
	}

	// Complaints would have been noted: here is one, of a style that the policy forbids.
	script[bool](b, `document.body.setAttribute("style", "color: red"), true`)
	redistest.Eventually(t, 5*time.Second, "the browser complains", func() bool {
		return strings.Contains(strings.Join(b.complaints(), " "), "Content Security Policy")
	})

	// A page that cannot be refreshed says so.
	s.CloseClientConnections()
	s.Listener.Close()
	b.has("#trouble", "Not up to date")
}

// The form explains, by GET; with its second button it runs the handler.
func TestExplainForm(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.get("/products/7")
	b := newTab(t)
	b.run(
		chromedp.Navigate(s.console(false)),
		chromedp.SendKeys(chromedp.CSS("#explain-url"), s.URL+"/products/7"),
		chromedp.SendKeys(chromedp.CSS("#explain-fields"), "Accept-Language: de\nCookie: a=<script>"),
	)
	b.press("#explain form button")
	b.has("#explanation", "products", "GET|http|", "/products/7", "miss: request", "product:7")
	at := value(b, chromedp.Location())
	if !strings.Contains(at, "/ops/admin/?url=") || strings.Contains(at, "token") || !strings.HasSuffix(at, "#explain") {
		t.Errorf("at %s", at)
	}
	b.run(chromedp.Clear(chromedp.CSS("#explain-fields")))
	b.press("#explain form button")
	b.has("#explanation h3", "hit")
	b.run(chromedp.SetValue(chromedp.CSS("#explain-url"), s.URL+"/products/8"))
	b.press("#explain form button.quiet")
	b.has("#explanation", "it would be stored: 1m", "tags", "product:8")
	if got := s.get("/products/8"); got != "MISS" {
		t.Errorf("what was tried is stored: %s", got)
	}
	if wrong := b.complaints(); len(wrong) != 0 {
		t.Errorf("the browser complains: %q", wrong)
	}
}

// The form counts, asks back, purges, and an explanation shows it; by a name that
// browsers trust, which they send Sec-Fetch-Site, and by one that they do not.
func TestPurgeForm(t *testing.T) {
	t.Parallel()
	for name, far := range map[string]bool{"local": false, "far": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.get("/products/7")
			b := newTab(t)
			b.run(
				chromedp.Navigate(s.console(far)),
				chromedp.SendKeys(chromedp.CSS("#purge-urls"), s.URL+"/products/7"),
			)
			b.press("#purge form button")
			b.has("#purge-answer", "Purge this?", "at least 1 entry", "/products/7")
			if got := s.get("/products/7"); got != "HIT" {
				t.Fatalf("before it was confirmed: %s", got)
			}
			b.press("#purge-answer button.danger")
			b.has("#purge-answer h3", "Purged")
			b.has("#purges", "/products/7", "dropped", "counted")
			b.run(chromedp.SetValue(chromedp.CSS("#explain-url"), s.URL+"/products/7"))
			b.press("#explain form button")
			b.has("#explanation", "miss: uri-miss", "nothing for this request")
			if got := s.get("/products/7"); got != "MISS" {
				t.Errorf("after it was purged: %s", got)
			}
			if wrong := b.complaints(); len(wrong) != 0 {
				t.Errorf("the browser complains: %q", wrong)
			}
		})
	}
}

// Without JavaScript the page can be read, and explains.
func TestWithoutJavaScript(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.visit()
	b := newTab(t)
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.run(
		chromedp.Navigate(s.console(false) + "?url=" + url.QueryEscape(s.URL+"/products/7")),
	)
	b.has("#policies", "products")
	b.has("#explanation", "hit", "product:7")
	if charts := value(b, chromedp.Nodes(chromedp.CSSAll("svg.chart"))); len(charts) != 6 {
		t.Errorf("%d charts, want three for each of two policies", len(charts))
	}
}

// misread returns the texts whose contrast with what is behind them is less than 4.5
// (WCAG 2.2 §1.4.3), and what else makes a page hard to use.
const misread = `(() => {
	const channels = (color) => color.match(/[\d.]+/g).map(Number);
	const luminance = ([r, g, b]) => {
		const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
		return 0.2126 * x + 0.7152 * y + 0.0722 * z;
	};
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const [r, g, b, a = 1] = channels(getComputedStyle(e).backgroundColor);
			if (a === 1) return [r, g, b];
		}
		return [255, 255, 255];
	};
	const wrong = [];
	let texts = 0;
	for (const e of document.querySelectorAll("body, body *")) {
		if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
		if (e.matches("script, style, .skip, option")) continue;
		texts++;
		const [light, dark] = [luminance(channels(getComputedStyle(e).color)), luminance(behind(e))].sort((a, b) => b - a);
		const contrast = (light + 0.05) / (dark + 0.05);
		if (contrast < 4.5) wrong.push("contrast " + contrast.toFixed(2) + ": " + e.tagName + " " + e.textContent.trim().slice(0, 40));
	}
	if (texts < 50) wrong.push("only " + texts + " texts");
	for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
		if (!e.labels.length) wrong.push("no label: " + e.outerHTML);
	}
	for (const e of document.querySelectorAll("th:not([scope])")) wrong.push("no scope: " + e.textContent);
	for (const e of document.querySelectorAll("section")) {
		if (!document.getElementById(e.getAttribute("aria-labelledby"))) wrong.push("no name: " + e.id);
	}
	const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
	for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push("twice: " + id);
	if (document.querySelectorAll("h1").length !== 1) wrong.push("not one h1");
	return wrong;
})()`

// The page can be read on a desk and on a telephone, by day and by night, whatever it
// shows. With -artifacts the pictures are kept.
func TestLooks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.visit()
	long := "product:" + strings.Repeat("long", 60)
	if _, err := s.cache.PurgeTags(t.Context(), long, "product:1"); err != nil {
		t.Fatal(err)
	}
	b := newTab(t)
	redistest.Eventually(t, patience, "the charts have lines", func() bool { return strings.Contains(s.page(), `class="line"`) })
	pages := map[string]chromedp.Action[chromedp.Void]{
		"page":    chromedp.Navigate(s.console(false)),
		"explain": chromedp.Navigate(s.console(false) + "?url=" + url.QueryEscape(s.URL+"/products/7?long="+strings.Repeat("x", 300)) + "&fields=Accept-Language:+de"),
		"purge": chromedp.Steps(
			chromedp.Navigate(s.console(false)), chromedp.SetValue(chromedp.CSS("#purge-tags"), long),
			chromedp.Click(chromedp.CSS("#purge form button")), chromedp.WaitReady(chromedp.CSS("#purge-answer")),
		),
	}
	grounds := make(map[string]string)
	for name, show := range pages {
		b.run(show)
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{1280, 390} {
				grounds[scheme] = b.look(fmt.Sprintf("%s-%s-%d", name, scheme, width), scheme, width)
			}
		}
	}
	if grounds["light"] == grounds["dark"] {
		t.Errorf("by day and by night on %s", grounds["light"])
	}
	if wrong := b.complaints(); len(wrong) != 0 {
		t.Errorf("the browser complains: %q", wrong)
	}
}

// look checks the page that is there in one scheme and width, takes a picture of it, and
// returns the colour of its ground.
func (b *tab) look(name, scheme string, width int64) (ground string) {
	b.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
	b.run(chromedp.EmulateViewport(width, 900))
	redistest.Eventually(b.t, patience, name+" is shown so", func() bool {
		return script[bool](b, fmt.Sprintf(`innerWidth === %d && matchMedia("(prefers-color-scheme: %s)").matches`, width, scheme))
	})
	if wrong := script[[]string](b, misread); len(wrong) > 0 {
		b.t.Errorf("%s:\n%s", name, strings.Join(wrong, "\n"))
	}
	if scroll := script[int64](b, `document.documentElement.scrollWidth`); scroll > width {
		b.t.Errorf("%s: it is %d wide", name, scroll)
	}
	if flag.Lookup("test.artifacts").Value.String() == "true" {
		picture := value(b, chromedp.FullScreenshot(100))
		if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), picture, 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	return script[string](b, `getComputedStyle(document.body).backgroundColor`)
}
