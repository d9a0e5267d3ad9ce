package docs

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// All of the above can fail, and does not fail what is right: pages, and what is said
// about them; nothing where there is nothing to say.
var harness = []struct {
	name string
	text string
	want string // part of the error, which begins with the block's place
}{
	{"kind unknown", "~~~golang\nx := 1\n~~~", `page.md:1: a block of "golang"`},
	{"no end", "~~~go\nx := 1", "page.md:1: the block does not end"},
	{"indented", "text\n\n    make test\n", "page.md:3: code is indented"},
	{"in a list", "- text\n\n    more of it\n\n    and more", ""},
	{"fence in a list", "- text\n\n  ~~~go\n  x := fmt.Sprint(\n  \t1)\n  ~~~\n", ""},
	{"longer fence", "~~~~text\n~~~\nnot the end\n~~~~", ""},
	{"comment on nothing", "<!-- docs-test: GET / -->\n\n~~~text\n~~~", "page.md:2: a docs-test comment"},
	{"comment at the end", "<!-- docs-test: GET / -->", "a docs-test comment"},
	{"comment on a fragment", "<!-- docs-test: GET / -->\n~~~go\nx := 1\n~~~", "no use for it"},
	{"comment on text", "<!-- docs-test: GET / -->\n~~~text\n~~~", "no use for it"},

	{"statements", "~~~go\nuser, err := users.GetOrSet(ctx, id, func(ctx context.Context) (User, error) { … })\n~~~", ""},
	{"statements that return", "~~~go\nif _, err := cache.PurgeTags(ctx, id); err != nil {\n\treturn nil, err\n}\n~~~", ""},
	{"declarations", "~~~go\ntype User struct{ Age int }\n\nfunc older(u User) User { return User{u.Age + 1} }\n~~~", ""},
	{"method", "~~~go\nfunc (u User) Validate() error { return fmt.Errorf(\"no name: %v\", u.ID) }\n~~~", ""},
	{"method twice", "~~~go\nfunc (u User) A() {}\n\nfunc (u *User) A() {}\n~~~", "page.md:4: method User.A already declared"},
	{"imports", "~~~go\nimport \"time\"\n\nvar second = time.Second\n~~~", ""},
	{"router", "~~~go\nr.With(cache.Handler(products)).Get(\"/\", show)\n~~~", ""},
	{"request", "~~~go\nfmt.Fprintln(w, r.URL)\n~~~", ""},
	{"ellipses", "~~~go\np := reprise.Policy{Name: \"p\", …}\nf := func(…) {…}\n_ = fmt.Sprint(1, …, 2)\n~~~", ""},
	{"identifier unknown", "~~~go\n\nx := cache.Prune(ctx)\n~~~", "page.md:3: cache.Prune undefined"},
	{"field unknown", "~~~go\nvar p = reprise.Policy{\n\tTTLs: 1,\n}\n~~~", "page.md:3: unknown field TTLs"},
	{"type wrong", "~~~go\nfunc f() int { return \"\" }\n~~~", "page.md:2: cannot use"},
	{"import unknown", "~~~go\nimport \"example.com/nowhere\"\n\nvar _ = nowhere.X\n~~~", "does not import example.com/nowhere"},
	{"nothing returned", "~~~go\nfunc f() int { }\n~~~", "missing return"},
	{"no statement", "~~~go\nx :=\n~~~", "page.md:3"},
	{"no declaration", "~~~go\nfunc f( {\n}\n~~~", "page.md:2"},

	{"program", "<!-- docs-test: GET /x -->\n~~~go\n" + listener("HIT") + "~~~", "MISS"},
	{"program without a question", "~~~go\n" + listener("MISS") + "~~~", "what to ask this program?"},
	{"program does not build", "~~~go\npackage main\n\nfunc main() { x }\n~~~", "go build"},
	{"program ends well", "~~~go\npackage main\n\nfunc main() {}\n~~~", ""},
	{"program ends badly", "~~~go\npackage main\n\nfunc main() { panic(1) }\n~~~", "exit status 2"},
	{"program does not listen", "<!-- docs-test: GET / -->\n~~~go\npackage main\n\nfunc main() { println(\"localhost:8080\") }\n~~~", "it ended"},
	{"test passes", "~~~go\n// Some.\npackage shop_test\n\nimport \"testing\"\n\nfunc TestIt(t *testing.T) {}\n~~~", ""},
	{"test fails", "~~~go\npackage shop_test\n\nimport \"testing\"\n\nfunc TestIt(t *testing.T) { t.Fatal(1) }\n~~~", "FAIL: TestIt"},
	{"file without tests", "~~~go\npackage shop\n\nfunc f() { x }\n~~~", "go vet"},

	{"command unknown", "~~~sh\nsudo make test\n~~~", "sudo make test: docs-test knows no such command"},
	{"second line", "~~~sh\n# a comment\nmake help # lists\n\nnothing\n~~~", "nothing: docs-test knows"},
	{"after &&", "~~~sh\nmake help && nothing here\n~~~", "nothing here: docs-test knows"},
	{"redirected", "~~~sh\nmake help > file\n~~~", "what to do with >"},
	{"in the background", "~~~sh\nmake help &\n~~~", "what to do with &"},
	{"quote", "~~~sh\nmake 'help\n~~~", "a quote does not end"},
	{"only an assignment", "~~~sh\nA=b\n~~~", "there is no command"},
	{"piped make", "~~~sh\nmake help | head\n~~~", "does not pipe"},
	{"status without curl", "<!-- docs-test: status 403 -->\n~~~sh\nmake help\n~~~", "there is no curl"},
	{"target", "~~~sh\nREDIS_URL=redis://localhost:6379 make demo\nmake fuzz \\\n  FUZZTIME=10s\n~~~", ""},
	{"target unknown", "~~~sh\nmake tests\n~~~", "make help does not list tests"},
	{"variable unknown", "~~~sh\nmake fuzz FUZZTIMES=10s\n~~~", "does not know FUZZTIMES"},
	{"make elsewhere", "~~~sh\ncd docs\nmake help\n~~~", "no such file"},
	{"run", "~~~sh\ngo run ./examples/chi -addr=localhost:8081\ncd examples && go run ./basic\n~~~", ""},
	{"flag unknown", "~~~sh\ngo run ./examples/chi -port 8081\n~~~", "its help does not list -port"},
	{"run elsewhere", "~~~sh\ngo run chi\n~~~", "go run of a directory"},
	{"example unknown", "~~~sh\ngo run ./examples/nowhere\n~~~", "go build"},
	{"get", "~~~sh\ngo get github.com/reprise-go/reprise@latest\ngo get github.com/reprise-go/reprise/store/redisstore\n~~~", ""},
	{"get of a package unknown", "~~~sh\ngo get github.com/reprise-go/reprise/store/filestore\n~~~", "filestore"},
	{"get of another's", "~~~sh\ngo get github.com/reprise-gone/reprise\n~~~", "is not ours"},
	{"get with a flag unknown", "~~~sh\ngo get -quick github.com/reprise-go/reprise\n~~~", "does not know -quick"},
	{"go unknown", "~~~sh\ngo mod nothing\n~~~", "does not know go mod"},
	{"go test", "~~~sh\ngo test -race -run TestLive ./health\ngo test -run '^$' -bench=Key/plain -benchtime 1s ./keyfunc\n~~~", ""},
	{"go test without packages", "~~~sh\ngo test ./nowhere\n~~~", "nowhere"},
	{"go test with a flag unknown", "~~~sh\ngo test -quick ./health\n~~~", "-quick"},
	{"go test of nothing", "~~~sh\ngo test -run TestNothing ./health\n~~~", "matches nothing"},
	{"benchmark of nothing", "~~~sh\ngo test -bench TestLive ./health\n~~~", "matches nothing"},
	{"clone", "~~~sh\ngit clone https://github.com/reprise-go/reprise\ncd reprise\nmake help\n~~~", ""},
	{"clone of another's", "~~~sh\ngit clone https://github.com/reprise/reprise\n~~~", "the repository is"},
	{"git unknown", "~~~sh\ngit push\n~~~", "knows git clone"},
	{"directory unknown", "~~~sh\ncd nowhere\n~~~", "no such file"},
	{"directory outside", "~~~sh\ncd ..\n~~~", "leaves the repository"},
	{"no directory", "~~~sh\ncd Makefile\n~~~", "no directory"},

	{"curl", "~~~sh\ncurl -i localhost:8080/products/42 | grep X-Cache\n~~~\n\n~~~sh\ncurl -si 'http://127.0.0.1:8080/products/42' | grep 'X-Cache: HIT'\n~~~", ""},
	{"curl over Redis", "~~~sh\ngo run ./examples/chi -redis redis://localhost:6379 -addr :8082\ncurl localhost:8082/products/1\nredis-cli --scan --pattern 'chi-example:*' | grep chi\n~~~", ""},
	{"curl of a second listener", "~~~sh\ngo run ./examples/chi -admin localhost:8082\ncurl localhost:8080/products/1 localhost:8082/stats\n~~~", ""},
	{"curl of a page unknown", "~~~sh\ncurl localhost:8080/nothing\n~~~", "was answered 404"},
	{"curl of a page refused", "<!-- docs-test: status 404 -->\n~~~sh\ncurl localhost:8080/nothing\n~~~", ""},
	{"curl of a page not refused", "<!-- docs-test: status 404 -->\n~~~sh\ncurl localhost:8080/products/1\n~~~", "was answered 200"},
	{"curl of the world", "~~~sh\ncurl https://example.com/\n~~~", "asks none of our programs"},
	{"curl with a flag unknown", "~~~sh\ncurl --quick localhost:8080/products/1\n~~~", "exit status 2"},
	{"curl without what it is searched for", "~~~sh\ncurl localhost:8080/products/1 | grep nothing\n~~~", "exit status 1"},
	{"filter unknown", "~~~sh\ncurl localhost:8080/products/1 | tee file\n~~~", "tee in a pipe"},
	{"redis-cli", "~~~sh\nredis-cli -h redis.internal -p 6380 SET a b\nredis-cli GET a | grep b\n~~~", ""},
	{"redis-cli is refused", "~~~sh\nredis-cli SETS a b\n~~~", "exit status 1"},
	{"redis-server", "~~~sh\nredis-server --port 6379 --maxmemory 100mb\nredis-cli CONFIG GET maxmemory | grep 104857600\n~~~", ""},
	{"redis-server does not start", "~~~sh\nredis-server --maxmemories 100mb\n~~~", "maxmemories"},
	{"promtool", "~~~sh\npromtool --version\ncurl -s localhost:8080/metrics | promtool check metrics\n~~~", ""},
	{"promtool of a file unknown", "~~~sh\npromtool check rules nowhere.yml\n~~~", "exit status 1"},

	{"prometheus", "~~~sh\nprometheus --config.file=/dev/null\ncurl -s localhost:9090/api/v1/status/flags | grep config.file\npromtool query instant http://localhost:9090 1 | grep 1\n~~~", ""},
	{"prometheus with a flag unknown", "~~~sh\nprometheus --config.files=/dev/null\n~~~", "unknown long flag"},
	{"for ever", "~~~sh\nwhile :; do curl -s localhost:8080/products/$((RANDOM % 20)) >/dev/null; done\n~~~", ""},
	{"for ever in vain", "~~~sh\nwhile :; do curl -s localhost:8080/nothing >/dev/null; done\n~~~", "was answered 404"},

	{"JSON", "~~~json\n{\"a\": [1, …],…}\n~~~", ""},
	{"JSON broken", "~~~json\n{\"a\": [1}\n~~~", "invalid character"},
	{"YAML", "~~~yaml\na: [1]\n---\nb: 2\n~~~", ""},
	{"YAML broken", "~~~yaml\na: 1\n---\nb: [2\n~~~", "yaml:"},
	{"rules", "~~~yaml\ngroups:\n  - name: g\n    rules:\n      - alert: A\n        expr: up == 0\n~~~", ""},
	{"rules broken", "~~~yaml\ngroups:\n  - name: g\n    rules:\n      - alert: A\n        expr: up ==\n~~~", "promtool"},
	{"expressions", "~~~promql\nsum(rate(a[5m]))\n  / b\n\nc\n~~~", ""},
	{"expression broken", "~~~promql\na\n\nsum(rate(b[5m))\n~~~", "promtool"},
	{"redis.conf", "~~~conf\nmaxmemory 1gb\nrequirepass secret\nuser shop on >secret ~shop:* +get\n~~~", ""},
	{"redis.conf broken", "~~~conf\nmaxmemory-policies allkeys-lru\n~~~", "Bad directive"},
	{"user broken", "~~~conf\nuser shop on >secret +gets\n~~~", "ACL SETUSER shop"},
	{"commands", "~~~redis\n# as the one who may\nACL SETUSER shop on >secret ~shop:* +get\nSET \"a b\" 1\nGET nothing\n~~~", ""},
	{"command broken", "~~~redis\nACL SETUSER shop +gets\n~~~", "ACL SETUSER shop +gets"},
}

// listener is a program that answers every request with one X-Cache.
func listener(state string) string {
	return "package main\n\nimport \"net/http\"\n\nfunc main() {\n" +
		"\thttp.ListenAndServe(\"localhost:8080\", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {\n" +
		"\t\tw.Header().Set(\"X-Cache\", \"" + state + "\")\n\t}))\n}\n"
}

func TestHarness(t *testing.T) {
	h := newHouse(t)
	for _, tt := range harness {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), perBlock)
			defer cancel()
			err := h.checkPage(ctx, parse("page.md", tt.text))
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "page.md:") || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// checkPage is what TestBlocks does with a page, in one error.
func (h *house) checkPage(ctx context.Context, p *page) error {
	errs := p.faults
	s := h.stand(p.name)
	for _, b := range p.blocks {
		errs = append(errs, s.check(ctx, b))
	}
	return errors.Join(append(errs, s.close())...)
}

func TestHarnessOfLinks(t *testing.T) {
	tests := []struct {
		text  string
		count int
		want  string
	}{
		{"[a](../README.md), [b](../health) and [c](#the-page-a--b)\n\n# The `page`: [a](x.md) & b", 4, "x.md"},
		{"[a](metrics.md#reasons) ![b](metrics.md \"title\") [c](https://example.com/nowhere)", 2, ""},
		{"`[a](nowhere.md)`\n\n~~~text\n[b](nowhere.md)\n~~~", 0, ""},
		{"# A\n## A\n[b](#a-1)", 1, ""},
		{"# A\n[b](#a-1)", 1, "page.md:2: link to #a-1: docs/page.md has no heading"},
		{"<a id=\"here\"></a>\n[b](#here)", 1, ""},
		{"[a](nowhere.md)", 1, "no such file"},
		{"[a]: nowhere.md", 1, "no such file"},
		{"<img src=\"nowhere.svg\">", 1, "no such file"},
		{"[a](/README.md)", 1, ""},
		{"[a](metrics.md#nowhere)", 1, "has no heading for #nowhere"},
		{"[a](../go.mod#L1-L2)", 1, ""},
		{"[a](../go.mod#L1000000)", 1, "there is no line 1000000"},
		{"[a](../go.mod#module)", 1, "is no line"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			count, faults := parse("docs/page.md", tt.text).links()
			err := errors.Join(faults...)
			if count != tt.count || tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%d links, %v, want %d, %s", count, err, tt.count, tt.want)
			}
		})
	}
}
