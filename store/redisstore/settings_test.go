package redisstore

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"
)

// TestWithoutTracking runs on servers that cannot push what changes.
func TestWithoutTracking(t *testing.T) {
	t.Parallel()
	noTracking := []string{"--rename-command", "CLIENT", ""}
	keepsContract(t, Options{Addrs: []string{newServer(t, noTracking...).addr}}, races)

	var log strings.Builder
	server := newServer(t, append(noTracking, "--rename-command", "HELLO", "")...) // and no RESP3
	s := open(t, Options{Addrs: []string{server.addr}, Logger: logTo(&log)})
	fill(t, s, "k", "v", "tag")
	if got := body(s, "k"); got != "v" || isLocal(s, store.Slot{Key: "k"}) {
		t.Errorf("got %q, kept locally: %v", got, isLocal(s, store.Slot{Key: "k"}))
	}
	if _, err := s.Purge(ctx, store.Purge{Tags: []string{"tag"}}); err != nil || body(s, "k") != "" {
		t.Errorf("after a purge: %v, %q", err, body(s, "k"))
	}
	if n := strings.Count(log.String(), "no client-side caching"); n != 1 {
		t.Errorf("told %d times: %s", n, log.String())
	}
}

// TestTrackingThatIsLostOnReconnect has a server come back without client-side
// caching, as after a failover to one that is set up otherwise.
func TestTrackingThatIsLostOnReconnect(t *testing.T) {
	server := newServer(t)
	s := open(t, Options{Addrs: []string{server.addr}, Timeout: time.Second})
	fill(t, s, "k", "v")
	server.kill()
	server.args = append(server.args, "--rename-command", "CLIENT", "")
	server.start()
	eventually(t, 5*time.Second, "it goes on without client-side caching", func() bool { return tryFill(s, "k", "v") == nil })
	if got := body(s, "k"); got != "v" || !s.untracked.Load() {
		t.Errorf("got %q, untracked: %v", got, s.untracked.Load())
	}
}

func TestTrackingThatIsGainedOnReconnect(t *testing.T) {
	server := newServer(t, "--rename-command", "CLIENT", "")
	s := open(t, Options{Addrs: []string{server.addr}, Timeout: time.Second})
	fill(t, s, "k", "v")
	server.kill()
	server.args = nil
	server.start()
	eventually(t, 5*time.Second, "it goes on", func() bool { return tryFill(s, "k", "v") == nil })
}

// TestABusyRedisIsAskedAgainForTracking starts while a script of somebody else
// keeps Redis busy.
func TestABusyRedisIsAskedAgainForTracking(t *testing.T) {
	server := newServer(t, "--lua-time-limit", "10")
	go server.command("EVAL", "while true do end", "0")
	eventually(t, 2*time.Second, "busy", func() bool { r := server.command("GET", "x"); return len(r) > 5 && r[:5] == "-BUSY" })
	s := open(t, Options{Addrs: []string{server.addr}, Timeout: time.Second})
	time.Sleep(100 * time.Millisecond)
	if got := server.command("SCRIPT", "KILL"); got != "+OK" {
		t.Fatal(got)
	}
	eventually(t, 5*time.Second, "connected", func() bool { return tryFill(s, "k", "v") == nil || body(s, "k") == "v" })
	if s.untracked.Load() {
		t.Error("for the rest of its life it goes without client-side caching")
	}
}

// rights takes the ACL rules of a user that may do what is needed, and nothing
// else, from where users read them.
func rights(t *testing.T, namespace string) []string {
	t.Helper()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`(?s)ACL SETUSER reprise (.*?)\n//\n`).FindSubmatch(doc)
	if rule == nil {
		t.Fatal("doc.go has no ACL rule")
	}
	text := strings.ReplaceAll(string(rule[1]), "//", "")
	return strings.Fields(strings.NewReplacer("shop:", namespace, ">secret", ">pass").Replace(text))
}

// TestRestrictedUserOverTLS keeps the contract with the rights that doc.go
// names, on a server that takes nothing but TLS with client certificates, and
// with bodies compressed.
func TestRestrictedUserOverTLS(t *testing.T) {
	t.Parallel()
	authority, files := newAuthority(t)
	_, port, _ := net.SplitHostPort(freeAddr(t))
	plain := newServer(t, "--tls-port", port, "--tls-cert-file", files.cert, "--tls-key-file", files.key, "--tls-ca-cert-file", files.authority)
	rule := append([]string{"ACL", "SETUSER", "reprise"}, rights(t, "test-")...)
	if got := plain.command(rule...); got != "+OK" {
		t.Fatal(got)
	}
	if got := plain.command("CONFIG", "SET", "port", "0"); got != "+OK" {
		t.Fatal(got)
	}
	o := Options{Addrs: []string{"localhost:" + port}, Username: "reprise", Password: "pass", TLS: authority, CompressOver: 1}
	keepsContract(t, o, races)

	o.Namespace = "other"
	if err := tryFill(open(t, o), "k", "v"); err == nil {
		t.Error("it may write outside of its namespace")
	}
}

type certFiles struct{ authority, cert, key string }

// newAuthority makes a certificate authority that both sides trust, and one
// certificate for both.
func newAuthority(t *testing.T) (*tls.Config, certFiles) {
	t.Helper()
	dir := t.TempDir()
	files := certFiles{filepath.Join(dir, "ca.crt"), filepath.Join(dir, "host.crt"), filepath.Join(dir, "host.key")}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, kind string, der []byte) {
		must(os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	}
	sign := func(template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) []byte {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
		must(err)
		return der
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	write(files.authority, "CERTIFICATE", sign(ca, ca, caKey, caKey))
	host := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	write(files.cert, "CERTIFICATE", sign(host, ca, key, caKey))
	der, err := x509.MarshalECPrivateKey(key)
	must(err)
	write(files.key, "EC PRIVATE KEY", der)

	pair, err := tls.LoadX509KeyPair(files.cert, files.key)
	must(err)
	pool := x509.NewCertPool()
	pemCA, err := os.ReadFile(files.authority)
	must(err)
	if !pool.AppendCertsFromPEM(pemCA) {
		t.Fatal("the authority's certificate cannot be read")
	}
	return &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, files
}

// TestSentinelWithPasswords has one password for the Sentinels and another for
// the servers.
func TestSentinelWithPasswords(t *testing.T) {
	primary := newServer(t)
	addr := newSentinel(t, primary, "sentinel auth-pass main servers\n", "requirepass sentinels\n")
	if got := primary.command("CONFIG", "SET", "requirepass", "servers"); got != "+OK" {
		t.Fatal(got)
	}
	o := Options{Addrs: []string{addr}, SentinelMaster: "main", SentinelPassword: "sentinels", Password: "servers", Timeout: time.Second}
	s := open(t, o)
	eventually(t, 5*time.Second, "connected", func() bool { return body(s, "k") == "v" || tryFill(s, "k", "v") == nil })
	o.SentinelPassword = "wrong"
	if err := tryFill(open(t, o), "k", "v"); err == nil {
		t.Error("it got in with a wrong password")
	}
}
