package redisstore

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOptionsFromEnv(t *testing.T) {
	for name, tt := range map[string]struct {
		environ []string
		want    Options
	}{
		"a URL": {
			[]string{"R_URL=redis://user:pass@host:6379/2", "R_NAMESPACE=shop"},
			Options{URL: "redis://user:pass@host:6379/2", Namespace: "shop"},
		},
		"addresses": {
			[]string{"R_ADDRS=a:1, b:2,", "R_SENTINEL_MASTER=main", "R_SENTINEL_USERNAME=s", "R_SENTINEL_PASSWORD=t=u", "R_USERNAME=v", "R_PASSWORD=w", "R_DB=3"},
			Options{
				Addrs: []string{"a:1", "b:2"}, SentinelMaster: "main", SentinelUsername: "s", SentinelPassword: "t=u",
				Username: "v", Password: "w", DB: 3,
			},
		},
		"a host":          {[]string{"R_HOST=redis"}, Options{Addrs: []string{"redis:6379"}}},
		"a host and port": {[]string{"R_HOST=::1", "R_PORT=7"}, Options{Addrs: []string{"[::1]:7"}}},
		"a host in brackets": {
			[]string{"R_HOST=[::1]", "R_PORT="}, Options{Addrs: []string{"[::1]:6379"}},
		},
		"all the rest": {
			[]string{
				"R_HOST=h", "R_TIMEOUT=20ms", "R_LEASE=1s", "R_TRUST=2s", "R_LOCAL_BYTES=1048576", "R_COMPRESS_OVER=100",
				"R_MIN_BACKOFF=5ms", "R_MAX_BACKOFF=1m", "R_LAZY=true", "R_TLS=false",
			},
			Options{
				Addrs: []string{"h:6379"}, Timeout: 20 * time.Millisecond, Lease: time.Second, Trust: 2 * time.Second, LocalBytes: 1 << 20,
				CompressOver: 100, MinBackoff: 5 * time.Millisecond, MaxBackoff: time.Minute, Lazy: true,
			},
		},
		"empty ones, and others'": {
			[]string{"R_HOST=h", "R_PASSWORD=", "R_TYPO=", "R=x", "RX_HOST=y", "PATH=/bin", "XR_HOST=z"},
			Options{Addrs: []string{"h:6379"}},
		},
	} {
		got, err := OptionsFromEnv("R", tt.environ)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestOptionsFromEnvWithTLS(t *testing.T) {
	authority, files := newAuthority(t)
	o, err := OptionsFromEnv("R", []string{
		"R_HOST=h", "R_TLS=1", "R_TLS_CA=" + files.authority, "R_TLS_SERVER_NAME=redis.example", "R_TLS_CERT=" + files.cert, "R_TLS_KEY=" + files.key,
	})
	if err != nil {
		t.Fatal(err)
	}
	if c := o.TLS; c == nil || c.ServerName != "redis.example" || !c.RootCAs.Equal(authority.RootCAs) || len(c.Certificates) != 1 || c.InsecureSkipVerify {
		t.Errorf("%+v", c)
	}
	if o, err := OptionsFromEnv("R", []string{"R_HOST=h", "R_TLS=true"}); err != nil || o.TLS == nil || o.TLS.RootCAs != nil {
		t.Errorf("%+v, %v", o.TLS, err)
	}
}

// TestEnvErrors expects everything that is wrong at once, by the variables' names.
func TestEnvErrors(t *testing.T) {
	noPEM := filepath.Join(t.TempDir(), "ca")
	if err := os.WriteFile(noPEM, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		environ []string
		wrong   []string
	}{
		"nothing":        {nil, []string{"R_URL"}},
		"two":            {[]string{"R_URL=redis://h:1", "R_HOST=h"}, []string{"R_URL"}},
		"other two":      {[]string{"R_ADDRS=h:1", "R_HOST=h"}, []string{"R_HOST"}},
		"port alone":     {[]string{"R_ADDRS=h:1", "R_PORT=1"}, []string{"R_PORT"}},
		"kubernetes":     {[]string{"R_HOST=h", "R_PORT=tcp://10.0.0.1:6379", "R_SERVICE_HOST=10.0.0.1"}, []string{"R_PORT", "R_SERVICE_HOST"}},
		"port 0":         {[]string{"R_HOST=h", "R_PORT=0"}, []string{"R_PORT"}},
		"port in host":   {[]string{"R_HOST=redis:6380"}, []string{"R_HOST"}},
		"a URL as host":  {[]string{"R_HOST=redis://u:secret@h:1"}, []string{"R_HOST"}},
		"a URL as addr":  {[]string{"R_ADDRS=redis://u:secret@h:1"}, []string{"R_ADDRS"}},
		"bad URL":        {[]string{"R_URL=http://u:secret@h:1"}, []string{"R_URL"}},
		"URL and more":   {[]string{"R_URL=redis://h:1", "R_PASSWORD=secret"}, []string{"R_URL"}},
		"typos":          {[]string{"R_HOST=h", "R_PASWORD=secret", "R_=secret"}, []string{"R_", "R_PASWORD"}},
		"TLS off":        {[]string{"R_HOST=h", "R_TLS_CA=x", "R_TLS_KEY=secret"}, []string{"R_TLS_CA", "R_TLS_KEY"}},
		"half a pair":    {[]string{"R_HOST=h", "R_TLS=true", "R_TLS_KEY=x"}, []string{"R_TLS_KEY"}},
		"the other half": {[]string{"R_HOST=h", "R_TLS=true", "R_TLS_CERT=x"}, []string{"R_TLS_CERT"}},
		"no files":       {[]string{"R_HOST=h", "R_TLS=true", "R_TLS_CA=/none", "R_TLS_CERT=/none", "R_TLS_KEY=/none"}, []string{"R_TLS_CA", "R_TLS_CERT"}},
		"no PEM":         {[]string{"R_HOST=h", "R_TLS=true", "R_TLS_CA=" + noPEM}, []string{"R_TLS_CA"}},
		"everything": {
			[]string{
				"R_HOST=h", "R_PORT=x", "R_DB=x", "R_TLS=maybe", "R_SENTINEL_PASSWORD=secret", "R_NAMESPACE={", "R_TIMEOUT=50", "R_LEASE=1h", "R_TRUST=x",
				"R_LOCAL_BYTES=64MiB", "R_COMPRESS_OVER=-1", "R_MIN_BACKOFF=1s", "R_MAX_BACKOFF=1ms", "R_LAZY=x", "R_WHAT=secret",
			},
			[]string{
				"R_COMPRESS_OVER", "R_DB", "R_LAZY", "R_LEASE", "R_LOCAL_BYTES", "R_MIN_BACKOFF", "R_NAMESPACE", "R_PORT", "R_SENTINEL_PASSWORD",
				"R_TIMEOUT", "R_TLS", "R_TRUST", "R_WHAT",
			},
		},
	} {
		o, err := OptionsFromEnv("R", tt.environ)
		var joined interface{ Unwrap() []error }
		if !errors.As(err, &joined) || !reflect.DeepEqual(o, Options{}) {
			t.Fatalf("%s: %+v, %v", name, o, err)
		}
		var wrong []string
		for _, err := range joined.Unwrap() {
			var e *EnvError
			if !errors.As(err, &e) || e.Reason == "" {
				t.Fatalf("%s: %v", name, err)
			}
			wrong = append(wrong, e.Variable)
		}
		if !slices.Equal(wrong, tt.wrong) {
			t.Errorf("%s: %v, want %v", name, err, tt.wrong)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OptionsFromEnv("", nil); err == nil {
		t.Error("no prefix is fine")
	}
}

// TestEveryOptionHasAVariable: what Options can say, variables can, but for what is
// a value of the program's.
func TestEveryOptionHasAVariable(t *testing.T) {
	e := &env{prefix: "R_", values: map[string]string{}}
	all := []string{
		"URL=redis://h:1", "ADDRS=h:1", "USERNAME=u", "PASSWORD=p", "DB=1", "TLS=true", "SENTINEL_MASTER=m", "SENTINEL_USERNAME=u", "SENTINEL_PASSWORD=p",
		"NAMESPACE=n", "LOCAL_BYTES=1", "TIMEOUT=1s", "LEASE=1s", "TRUST=1s", "MIN_BACKOFF=1s", "MAX_BACKOFF=1s", "COMPRESS_OVER=1", "LAZY=true",
	}
	for _, line := range all {
		name, value, _ := strings.Cut(line, "=")
		e.values[name] = value
	}
	v := reflect.ValueOf(e.options())
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && v.Field(i).IsZero() && f.Name != "Recorder" && f.Name != "Logger" {
			t.Errorf("nothing sets %s", f.Name)
		}
	}
	doc, err := os.ReadFile("env.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range all {
		name, _, _ := strings.Cut(line, "=")
		if !regexpWord("_" + name).Match(doc) {
			t.Errorf("the comment does not name %s", name)
		}
	}
}

func regexpWord(s string) *regexp.Regexp { return regexp.MustCompile(`\b\w*` + s + `\b`) }
