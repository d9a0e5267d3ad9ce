package redisstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An EnvError is one thing wrong with the variables that OptionsFromEnv reads.
type EnvError struct {
	Variable string // its whole name; "": the prefix is what is wrong
	Reason   string // has no value of a URL or a password
}

func (e *EnvError) Error() string {
	if e.Variable == "" {
		return "redisstore: " + e.Reason
	}
	return fmt.Sprintf("redisstore: %s: %s", e.Variable, e.Reason)
}

// OptionsFromEnv reads Options from those of environ, which is os.Environ() as a
// rule, whose names begin with prefix and an underscore. For the prefix
// SHOP_REDIS they are
//
//	SHOP_REDIS_URL                redis://user:pass@host:6379/0, or
//	SHOP_REDIS_ADDRS              host:port,host:port of a Cluster or of Sentinels, or
//	SHOP_REDIS_HOST, _PORT        of one Redis; the port is 6379 unless it is set
//	SHOP_REDIS_USERNAME, _PASSWORD, _DB
//	SHOP_REDIS_TLS                true or false
//	SHOP_REDIS_TLS_CA             file of certificates, PEM; the system's unless it is set
//	SHOP_REDIS_TLS_SERVER_NAME    in the server's certificate, if it is not the host
//	SHOP_REDIS_TLS_CERT, _TLS_KEY files of a client's certificate and its key, PEM
//	SHOP_REDIS_SENTINEL_MASTER, _SENTINEL_USERNAME, _SENTINEL_PASSWORD
//	SHOP_REDIS_NAMESPACE
//	SHOP_REDIS_TIMEOUT, _LEASE, _TRUST, _MIN_BACKOFF, _MAX_BACKOFF    durations: 50ms, 3s
//	SHOP_REDIS_LOCAL_BYTES, _COMPRESS_OVER                            bytes: 67108864
//	SHOP_REDIS_LAZY               true or false
//
// One that is not set, or empty, leaves its field zero, which is the default.
// Recorder and Logger are for the program to set.
//
// The error reports everything that is wrong, what New would refuse too, each an
// *EnvError that names the variable, and no secret. One that nobody knows, a slip
// of the pen, is wrong as well. So let nothing else use the prefix: a Service of
// Kubernetes that is called redis sets REDIS_PORT and more of REDIS in each pod.
func OptionsFromEnv(prefix string, environ []string) (Options, error) {
	if prefix == "" {
		return Options{}, errors.Join(&EnvError{"", "the prefix of the variables is empty"})
	}
	e := &env{prefix: prefix + "_", values: make(map[string]string)}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if rest, ours := strings.CutPrefix(name, e.prefix); ours && value != "" {
			e.values[rest] = value
		}
	}
	o := e.options()
	for name := range e.values { // what options has not taken
		e.bad(name, "is not known")
	}
	if len(e.errs) > 0 {
		return Options{}, e.failure()
	}
	return o, nil
}

// env is the variables of one prefix.
type env struct {
	prefix string
	values map[string]string // those that nobody has asked for yet
	errs   []*EnvError
}

func (e *env) bad(name, reason string) {
	e.errs = append(e.errs, &EnvError{e.prefix + name, reason})
}

// failure joins what is wrong, in the order of the names.
func (e *env) failure() error {
	slices.SortStableFunc(e.errs, func(a, b *EnvError) int { return strings.Compare(a.Variable, b.Variable) })
	errs := make([]error, len(e.errs))
	for i, err := range e.errs {
		errs[i] = err
	}
	return errors.Join(errs...)
}

func (e *env) options() Options {
	o := Options{
		URL:      e.text("URL"),
		Addrs:    e.addrs(),
		Username: e.text("USERNAME"),
		Password: e.text("PASSWORD"),
		DB:       value(e, "DB", "a whole number", strconv.Atoi),
		TLS:      e.tls(),

		SentinelMaster:   e.text("SENTINEL_MASTER"),
		SentinelUsername: e.text("SENTINEL_USERNAME"),
		SentinelPassword: e.text("SENTINEL_PASSWORD"),

		Namespace:    e.text("NAMESPACE"),
		LocalBytes:   value(e, "LOCAL_BYTES", "a number of bytes", whole),
		Timeout:      value(e, "TIMEOUT", durations, time.ParseDuration),
		Lease:        value(e, "LEASE", durations, time.ParseDuration),
		Trust:        value(e, "TRUST", durations, time.ParseDuration),
		MinBackoff:   value(e, "MIN_BACKOFF", durations, time.ParseDuration),
		MaxBackoff:   value(e, "MAX_BACKOFF", durations, time.ParseDuration),
		CompressOver: value(e, "COMPRESS_OVER", "a number of bytes", strconv.Atoi),
		Lazy:         value(e, "LAZY", "true or false", strconv.ParseBool),
	}
	e.validate(o)
	return o
}

const durations = "a duration with its unit, as 50ms"

func whole(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }

// text takes a variable; "": it is not set.
func (e *env) text(name string) string {
	v := e.values[name]
	delete(e.values, name)
	return v
}

// value takes a variable that parse understands; kind is what it is then, or "" if
// parse's error says enough.
func value[T any](e *env, name, kind string, parse func(string) (T, error)) (v T) {
	if s := e.text(name); s != "" {
		var err error
		if v, err = parse(s); err == nil {
			return v
		}
		if kind == "" {
			e.bad(name, err.Error())
		} else {
			e.bad(name, fmt.Sprintf("%q is not %s", s, kind))
		}
	}
	return v
}

// addrs takes where Redis is, but for the URL.
func (e *env) addrs() []string {
	var addrs []string
	for a := range strings.SplitSeq(e.text("ADDRS"), ",") {
		if a = strings.TrimSpace(a); a != "" {
			addrs = append(addrs, a)
		}
	}
	host, port := e.text("HOST"), e.text("PORT")
	switch {
	case host == "" && port != "":
		e.bad("PORT", "without "+e.prefix+"HOST")
	case strings.ContainsAny(host, "/@, ") || strings.Contains(host, ":") && !isIP(host): // a URL, and then perhaps with a password
		e.bad("HOST", "not a host's name or address")
		addrs = []string{"localhost:6379"} // for the sake of what else is to be said
	case host != "" && addrs != nil:
		e.bad("HOST", "beside "+e.prefix+"ADDRS")
	case host != "":
		if port == "" {
			port = "6379"
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			e.bad("PORT", fmt.Sprintf("%q is not from 1 to 65535", port))
			port = "6379"
		}
		addrs = []string{net.JoinHostPort(strings.Trim(host, "[]"), port)}
	}
	return addrs
}

// isIP tells whether host is an address: only in those is a colon no beginning of a port.
func isIP(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// tls takes what is to be said of TLS; nil: it is not used.
func (e *env) tls() *tls.Config {
	on := value(e, "TLS", "true or false", strconv.ParseBool)
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	parts := []string{"TLS_CA", "TLS_SERVER_NAME", "TLS_CERT", "TLS_KEY"}
	if !on {
		for _, name := range parts {
			if e.text(name) != "" {
				e.bad(name, "without "+e.prefix+"TLS=true")
			}
		}
		return nil
	}
	c.ServerName = e.text("TLS_SERVER_NAME")
	c.RootCAs = value(e, "TLS_CA", "", certificates)
	cert, key := e.text("TLS_CERT"), e.text("TLS_KEY")
	switch {
	case cert == "" && key == "":
	case cert == "":
		e.bad("TLS_KEY", "without "+e.prefix+"TLS_CERT")
	case key == "":
		e.bad("TLS_CERT", "without "+e.prefix+"TLS_KEY")
	default:
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			e.bad("TLS_CERT", err.Error())
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}

func certificates(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no PEM certificate in it", file)
	}
	return pool, nil
}

// variables are those of the fields that New may find wrong.
var variables = map[string]string{
	"URL": "URL", "Addrs": "ADDRS", "DB": "DB", "SentinelPassword": "SENTINEL_PASSWORD", "Namespace": "NAMESPACE",
	"LocalBytes": "LOCAL_BYTES", "CompressOver": "COMPRESS_OVER", "Timeout": "TIMEOUT", "Lease": "LEASE", "Trust": "TRUST",
	"MinBackoff": "MIN_BACKOFF", "MaxBackoff": "MAX_BACKOFF",
}

// validate reports what New would, by the names that variables have.
func (e *env) validate(o Options) {
	if (o.URL == "") == (len(o.Addrs) == 0) {
		e.bad("URL", fmt.Sprintf("exactly one of it, %[1]sADDRS and %[1]sHOST is needed", e.prefix))
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(o.withDefaults().validate(), &joined) {
		return
	}
	for _, err := range joined.Unwrap() {
		var wrong *OptionError
		switch {
		case !errors.As(err, &wrong):
			e.bad("", err.Error())
		case wrong.Reason == oneTarget: // said, by other names
		case wrong.Value == nil:
			e.bad(variables[wrong.Field], wrong.Reason)
		default:
			e.bad(variables[wrong.Field], fmt.Sprintf("%v: %s", wrong.Value, wrong.Reason))
		}
	}
}
