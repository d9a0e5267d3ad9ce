package docs

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
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
	patterns, args, err := c.testArguments(ctx)
	if err != nil {
		return err
	}
	all := "^$"
	for _, pattern := range patterns {
		all += "|" + pattern
	}
	names, err := output(ctx, c.at("."), "go", append([]string{"test", "-list", all}, args...)...)
	if err != nil {
		return err
	}
	prefixes := map[string]string{"run": "Test|Example", "bench": "Benchmark", "fuzz": "Fuzz"}
	for name, pattern := range patterns {
		wanted, err := regexp.Compile(pattern)
		if err != nil {
			return err
		}
		ofKind := regexp.MustCompile(`(?m)^(?:`+prefixes[name]+`).*$`).FindAllString(names, -1)
		if pattern != "^$" && !slices.ContainsFunc(ofKind, wanted.MatchString) {
			return fmt.Errorf("-%s %s matches nothing", name, pattern)
		}
	}
	return nil
}

// testArguments returns the patterns of a go test, by their flags and without what
// selects subtests, and the arguments that say what to compile.
func (c *call) testArguments(ctx context.Context) (patterns map[string]string, args []string, err error) {
	patterns = make(map[string]string)
	for i := 2; i < len(c.args) && c.args[i] != "-args"; i++ {
		arg := c.args[i]
		if !strings.HasPrefix(arg, "-") {
			args = append(args, arg)
			continue
		}
		if err := knownToGo(ctx, arg, "testflag", "test", "build"); err != nil {
			return nil, nil, err
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
			args = append([]string{"-tags", value}, args...)
		}
	}
	return patterns, args, nil
}
