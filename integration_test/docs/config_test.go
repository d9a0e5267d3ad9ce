package docs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/redis/rueidis"
	"go.yaml.in/yaml/v3"

	"github.com/reprise-go/reprise/integration_test/debian"
	"github.com/reprise-go/reprise/integration_test/redistest"
)

var (
	errNoPrometheus = errors.New("this machine has no Prometheus: install it (Debian, Ubuntu: apt-get install prometheus; macOS: brew install prometheus)")
	prometheus      = debian.Program{Names: []string{"prometheus"}, Package: "prometheus", Missing: errNoPrometheus}
	promtool        = debian.Program{Names: []string{"promtool"}, Package: "prometheus", Missing: errNoPrometheus}
)

func say(format string, args ...any) { fmt.Printf("docs: "+format+"\n", args...) }

func (s *stand) checkJSON(_ context.Context, b block) error {
	text, _ := withoutEllipses(b.text)
	var value json.RawMessage
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return err
	}
	return b.saysNothing()
}

func (s *stand) checkYAML(ctx context.Context, b block) error {
	if err := b.saysNothing(); err != nil {
		return err
	}
	for documents := yaml.NewDecoder(strings.NewReader(b.text)); ; {
		var document any
		if err := documents.Decode(&document); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if fields, ok := document.(map[string]any); ok && fields["groups"] != nil {
			if err := s.checkRules(ctx, document); err != nil {
				return err
			}
		}
	}
}

func (s *stand) checkPromQL(ctx context.Context, b block) error {
	if err := b.saysNothing(); err != nil {
		return err
	}
	var rules []any
	for expr := range strings.SplitSeq(strings.TrimSpace(b.text), "\n\n") {
		rules = append(rules, map[string]string{"record": fmt.Sprint("page:expression:", len(rules)), "expr": expr})
	}
	return s.checkRules(ctx, map[string]any{"groups": []any{map[string]any{"name": "page", "rules": rules}}})
}

// checkRules has promtool read a file of rules.
func (s *stand) checkRules(ctx context.Context, rules any) error {
	tool, err := promtool.Find(ctx, say)
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(rules)
	if err != nil {
		return err
	}
	file := filepath.Join(s.dir, "rules.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	return command(ctx, s.root, tool, "check", "rules", file)
}

// placed are the directives that say where a server stands, or that would shut us out.
// They are left away.
var placed = []string{"bind", "port", "dir", "logfile", "unixsocket", "requirepass"}

// checkConf starts a Redis with the lines of a redis.conf. Users are made when it runs.
func (s *stand) checkConf(ctx context.Context, b block) (err error) {
	if err := b.saysNothing(); err != nil {
		return err
	}
	var conf strings.Builder
	var users [][]string
	for line := range strings.Lines(b.text) {
		switch fields := strings.Fields(line); {
		case len(fields) > 1 && fields[0] == "user":
			users = append(users, append([]string{"ACL", "SETUSER"}, fields[1:]...))
		case len(fields) > 0 && slices.Contains(placed, fields[0]):
		default:
			conf.WriteString(line)
		}
	}
	file := filepath.Join(s.dir, "redis.conf")
	if err := os.WriteFile(file, []byte(conf.String()), 0o600); err != nil {
		return err
	}
	addr, end, err := redistest.Start(ctx, "--include", file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	return accepts(addr, users)
}

// checkRedis sends the lines of a block to the page's Redis.
func (s *stand) checkRedis(ctx context.Context, b block) error {
	if err := b.saysNothing(); err != nil {
		return err
	}
	addr, err := s.needRedis(ctx)
	if err != nil {
		return err
	}
	var commands [][]string
	for line := range strings.Lines(b.text) {
		words, err := split(line, "")
		if err != nil {
			return err
		}
		if len(words) > 0 {
			commands = append(commands, texts(words))
		}
	}
	return accepts(addr, commands)
}

// accepts sends commands to a server, none of which may be answered with an error.
func accepts(addr string, commands [][]string) error {
	for _, command := range commands {
		if err := redistest.Command(addr, command...).Error(); err != nil && !rueidis.IsRedisNil(err) {
			return fmt.Errorf("%s: %w", strings.Join(command, " "), err)
		}
	}
	return nil
}
