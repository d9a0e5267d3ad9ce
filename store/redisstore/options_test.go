package redisstore

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestOptionErrors(t *testing.T) {
	for name, c := range map[string]struct {
		o      Options
		fields []string
	}{
		"nothing":    {Options{}, []string{"Addrs"}},
		"both":       {Options{URL: "redis://h:1", Addrs: []string{"h:1"}}, []string{"Addrs"}},
		"bad url":    {Options{URL: "http://h:1"}, []string{"URL"}},
		"url and":    {Options{URL: "redis://h:1", TLS: &tls.Config{}, DB: 2}, []string{"URL"}},
		"no port":    {Options{Addrs: []string{"h", "h:1", "h:"}}, []string{"Addrs", "Addrs"}},
		"cluster db": {Options{Addrs: []string{"h:1", "i:1"}, DB: 1}, []string{"DB"}},
		"everything": {
			Options{Addrs: []string{"h:1"}, DB: -1, Namespace: "{", LocalBytes: -1, Timeout: -1, Lease: time.Millisecond, Trust: time.Hour},
			[]string{"DB", "Namespace", "LocalBytes", "Timeout", "Lease", "Trust"},
		},
		"backoff":    {Options{Addrs: []string{"h:1"}, MinBackoff: time.Hour, MaxBackoff: time.Nanosecond}, []string{"MinBackoff", "MaxBackoff", "MinBackoff"}},
		"backoffs":   {Options{Addrs: []string{"h:1"}, MinBackoff: time.Second, MaxBackoff: time.Millisecond}, []string{"MinBackoff"}},
		"negative":   {Options{Addrs: []string{"h:1"}, MinBackoff: -1, MaxBackoff: -1}, []string{"MinBackoff", "MaxBackoff"}},
		"compress":   {Options{Addrs: []string{"h:1"}, CompressOver: -1}, []string{"CompressOver"}},
		"sentinel":   {Options{Addrs: []string{"h:1"}, SentinelPassword: "secret"}, []string{"SentinelPassword"}},
		"log prefix": {Options{Addrs: []string{"h:1"}, Namespace: "a:p1"}, []string{"Namespace"}},
	} {
		s, err := New(c.o)
		if s != nil || err == nil {
			t.Fatalf("%s: %v, %v", name, s, err)
		}
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Fatalf("%s: %T", name, err)
		}
		var fields []string
		for _, e := range joined.Unwrap() {
			var oe *OptionError
			if !errors.As(e, &oe) {
				t.Fatalf("%s: %T", name, e)
			}
			fields = append(fields, oe.Field)
		}
		if strings.Join(fields, " ") != strings.Join(c.fields, " ") {
			t.Errorf("%s: %v, want %v", name, fields, c.fields)
		}
	}
}

func TestErrorsHideTheURL(t *testing.T) {
	for _, o := range []Options{{URL: "redis://user:secret@host:6379/x/y"}, {Addrs: []string{"redis://user:secret@host:6379"}}} {
		_, err := New(o)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v", err)
		}
	}
}

func TestURL(t *testing.T) {
	s := open(t, Options{URL: "redis://" + sharedAddr(t) + "/1", Namespace: randomNamespace(), Timeout: time.Second})
	fill(t, s, "k", "v")
	if got := body(s, "k"); got != "v" {
		t.Errorf("got %q", got)
	}
}
