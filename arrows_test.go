package reprise

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/reprise-go/reprise"

// A room says what one package may import. What is not said is forbidden,
// the standard library apart.
type room struct {
	ours   []string // packages of this module, relative to it
	others []string // packages of other modules: the named ones and all below them
	not    []string // packages that it must not import itself
	never  []string // packages that it must not link, through whatever
}

var (
	heavy   = []string{"github.com/redis/rueidis", "github.com/prometheus", "github.com/testcontainers"}
	noHTTP  = append([]string{"net/http"}, heavy...)
	noRedis = []string{"github.com/redis/rueidis", "github.com/testcontainers"}
	noProm  = []string{"github.com/prometheus", "github.com/testcontainers"}
	noIO    = []string{
		"bufio", "context", "io/fs", "io/ioutil", "log", "log/slog", "math/rand", "math/rand/v2", "net", "os", "os/exec",
		"path/filepath", "runtime", "sync", "syscall", "testing",
	}
)

// rooms are the arrows of the design, each package with what it may import. A
// package that is not listed fails the test: give a new one its arrows here.
var rooms = map[string]room{
	".":                {never: heavy},
	"store":            {never: noHTTP},
	"swr":              {ours: []string{"internal/clock", "internal/forms", "internal/heap", "internal/known", "store"}, never: noHTTP},
	"health":           {ours: []string{"store"}, never: heavy},
	"internal/clock":   {ours: []string{"store"}, never: noHTTP},
	"internal/forms":   {ours: []string{"store"}, never: noHTTP},
	"internal/heap":    {never: noHTTP},
	"internal/known":   {ours: []string{"store"}, never: noHTTP},
	"keyfunc":          {others: []string{"github.com/cespare/xxhash/v2"}, never: heavy},
	"internal/rfc9111": {others: []string{"github.com/dunglas/httpsfv"}, not: noIO, never: heavy},
	"middleware": {
		ours:   []string{"internal/clock", "internal/forms", "internal/heap", "internal/known", "internal/rfc9111", "keyfunc", "store", "swr"},
		others: []string{"github.com/cespare/xxhash/v2", "github.com/go-chi/chi/v5"},
		never:  heavy,
	},
	"middleware/middlewaretest": {ours: []string{"middleware", "store", "store/memstore", "swr"}, never: heavy},
	"middleware/admin":          {ours: []string{"health", "middleware", "store", "swr"}, never: heavy},
	"metrics": {
		ours:   []string{"middleware", "store", "swr"},
		others: []string{"github.com/prometheus/client_golang"},
		never:  noRedis,
	},
	"store/memstore": {
		ours:   []string{"internal/heap", "store"},
		others: []string{"github.com/cespare/xxhash/v2", "github.com/maypok86/otter/v2"},
		never:  noHTTP,
	},
	"store/redisstore": {
		ours:   []string{"internal/heap", "store"},
		others: []string{"github.com/cespare/xxhash/v2", "github.com/klauspost/compress/zstd", "github.com/maypok86/otter/v2", "github.com/redis/rueidis"},
		never:  noProm,
	},
	"store/storetest": {ours: []string{"store"}, never: noHTTP},
	"examples/basic":  {ours: []string{"middleware", "store/memstore"}, never: heavy},
	"examples/chi": {
		ours:   []string{"metrics", "middleware", "middleware/admin", "store", "store/memstore", "store/redisstore"},
		others: []string{"github.com/go-chi/chi/v5", "github.com/prometheus/client_golang"},
	},
	"examples/proxy":    {ours: []string{"middleware", "store", "store/memstore", "store/redisstore"}, never: noProm},
	"internal/scenario": {ours: []string{"keyfunc", "middleware", "store", "swr"}, never: heavy},
	"internal/model":    {never: heavy},
	"internal/measure":  {never: heavy},
	"internal/bars": {
		ours:   []string{"internal/measure", "metrics", "middleware", "store", "store/memstore", "store/redisstore"},
		others: []string{"github.com/redis/rueidis"},
	},
}

// requirements are the modules that ours needs directly, tests included. A
// new one is a decision: every user's module graph carries it.
var requirements = []string{
	"github.com/cespare/xxhash/v2",
	"github.com/dunglas/httpsfv",
	"github.com/go-chi/chi/v5",
	"github.com/klauspost/compress",
	"github.com/maypok86/otter/v2",
	"github.com/prometheus/client_golang",
	"github.com/redis/rueidis",
	"go.uber.org/goleak",
}

// outside must not even be an indirect requirement: they belong to the modules
// integration_test, examples/catalog and tools.
var outside = []string{"github.com/testcontainers", "github.com/moby", "modernc.org/sqlite", "github.com/golangci"}

func TestArrows(t *testing.T) {
	for _, fault := range faults(linked(t), rooms) {
		t.Error(fault)
	}
}

func TestRequirements(t *testing.T) {
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(run(t, "go", "mod", "edit", "-json"), &mod); err != nil {
		t.Fatal(err)
	}
	var direct []string
	for _, r := range mod.Require {
		if under(r.Path, outside) {
			t.Errorf("go.mod requires %s, which belongs to another of our modules", r.Path)
		}
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	slices.Sort(direct)
	if !slices.Equal(direct, requirements) {
		t.Errorf("go.mod requires directly\n\t%v\nand the list here is\n\t%v", direct, requirements)
	}
}

// A node is a package as go list describes it.
type node struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

// linked returns the packages of this module and all that they link, by path.
func linked(t *testing.T) map[string]node {
	t.Helper()
	graph := make(map[string]node)
	dec := json.NewDecoder(bytes.NewReader(run(t, "go", "list", "-deps", "-json=ImportPath,Standard,Imports", "./...")))
	for {
		var n node
		if err := dec.Decode(&n); errors.Is(err, io.EOF) {
			return graph
		} else if err != nil {
			t.Fatal(err)
		}
		graph[n.ImportPath] = n
	}
}

func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.Bytes())
	}
	return out
}

// faults returns what is wrong in graph, sorted.
func faults(graph map[string]node, rooms map[string]room) []string {
	var found []string
	seen := make(map[string]bool)
	for _, path := range slices.Sorted(maps.Keys(graph)) {
		name, ours := local(path)
		if !ours {
			continue
		}
		seen[name] = true
		r, known := rooms[name]
		if !known {
			found = append(found, name+" has no arrows: add it to rooms")
			continue
		}
		found = append(found, importFaults(graph, name, r)...)
		found = append(found, linkFaults(graph, name, r)...)
	}
	for name := range rooms {
		if !seen[name] {
			found = append(found, name+" has arrows and does not exist: strike it from rooms")
		}
	}
	slices.Sort(found)
	return found
}

// importFaults checks what the package called name imports itself.
func importFaults(graph map[string]node, name string, r room) []string {
	var found []string
	for _, path := range graph[remote(name)].Imports {
		own, ours := local(path)
		allowed := graph[path].Standard || under(path, r.others)
		if ours {
			allowed = slices.Contains(r.ours, own)
		}
		if !allowed || slices.Contains(r.not, path) {
			found = append(found, fmt.Sprintf("%s imports %s", name, path))
		}
	}
	return found
}

// linkFaults checks what the package called name links, and tells the way.
func linkFaults(graph map[string]node, name string, r room) []string {
	var found []string
	start := remote(name)
	from := map[string]string{start: ""} // who brought in whom first
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		for _, path := range graph[queue[0]].Imports {
			if _, known := from[path]; known {
				continue
			}
			from[path] = queue[0]
			if under(path, r.never) {
				found = append(found, fmt.Sprintf("%s links %s", name, way(from, path)))
				continue // what that one links would only repeat the fault
			}
			queue = append(queue, path)
		}
	}
	return found
}

// way spells out how path came in: "c, through b, through a".
func way(from map[string]string, path string) string {
	steps := []string{path}
	for p := from[path]; from[p] != ""; p = from[p] {
		steps = append(steps, p)
	}
	return strings.Join(steps, ", through ")
}

// under tells whether path is one of roots, or below one.
func under(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return path == root || strings.HasPrefix(path, root+"/")
	})
}

// local returns the name of one of our packages relative to the module.
func local(path string) (name string, ours bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

func remote(name string) string {
	if name == "." {
		return module
	}
	return module + "/" + name
}

// The checks above can fail: a house with one fault at a time.
func TestFaults(t *testing.T) {
	const a, b, redis, net = module + "/a", module + "/b", "example.com/redis", "example.com/net"
	plan := map[string]room{
		"a": {not: []string{"os"}, never: []string{redis, "net/http"}},
		"b": {ours: []string{"a"}, others: []string{net}, never: []string{redis}},
	}
	tests := []struct {
		name    string
		imports map[string][]string // of a, b and the others; without an example.com: the standard library
		want    []string
	}{
		{"sound", map[string][]string{a: {"fmt"}, b: {a, "os", net + "/sub"}}, nil},
		{"unknown room", map[string][]string{a: nil, b: nil, module + "/c": nil}, []string{"c has no arrows: add it to rooms"}},
		{"unknown root", map[string][]string{a: nil, b: nil, module: nil}, []string{". has no arrows: add it to rooms"}},
		{"no such room", map[string][]string{a: nil}, []string{"b has arrows and does not exist: strike it from rooms"}},
		{"arrow the wrong way", map[string][]string{a: {b}, b: nil}, []string{"a imports " + b}},
		{"other module", map[string][]string{a: {net}, b: nil}, []string{"a imports " + net}},
		{"name alike", map[string][]string{a: nil, b: {net + "work"}}, []string{"b imports " + net + "work"}},
		{"standard package", map[string][]string{a: {"os"}, b: nil}, []string{"a imports os"}},
		{"standard package of another", map[string][]string{a: {"io"}, b: nil, "io": {"os"}}, nil},
		{"linked at once", map[string][]string{a: {"net/http"}, b: nil}, []string{"a links net/http"}},
		{"linked through others", map[string][]string{a: nil, b: {net}, net: {net + "/deep"}, net + "/deep": {redis + "/v2"}},
			[]string{"b links " + redis + "/v2, through " + net + "/deep, through " + net}},
		{"both", map[string][]string{a: {redis}, b: {a}}, []string{
			"a imports " + redis, "a links " + redis, "b links " + redis + ", through " + a,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := faults(graphOf(tt.imports), plan); !slices.Equal(got, tt.want) {
				t.Errorf("faults = %q, want %q", got, tt.want)
			}
		})
	}
}

// graphOf completes imports with the packages that only others name.
func graphOf(imports map[string][]string) map[string]node {
	graph := make(map[string]node)
	add := func(path string, imports []string) {
		first, _, _ := strings.Cut(path, "/")
		graph[path] = node{ImportPath: path, Standard: !strings.Contains(first, "."), Imports: imports}
	}
	for _, paths := range imports {
		for _, path := range paths {
			add(path, nil)
		}
	}
	for path, paths := range imports {
		add(path, paths)
	}
	return graph
}
