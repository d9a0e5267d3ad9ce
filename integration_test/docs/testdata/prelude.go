// Package docs has what fragments of Go in the documentation may assume.
//
// reprise is our middleware, and middleware chi's, on every page.
//
// To extend it: an import serves all fragments, and so does a package-level name; a
// fragment that declares a name itself hides the one here. Statements stand in one of
// the functions at the end, in the first in which they compile: add one where a name
// means one thing on one page and another on the next. What is here need not run, it
// has to have the right type.
package docs

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/go-playground/validator/v10"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/reprise-go/reprise/health"
	"github.com/reprise-go/reprise/keyfunc"
	"github.com/reprise-go/reprise/metrics"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/middleware/admin"
	"github.com/reprise-go/reprise/middleware/middlewaretest"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/redisstore"
	"github.com/reprise-go/reprise/store/storetest"
	"github.com/reprise-go/reprise/swr"
)

// The cache and what it stands on.
var (
	st        *redisstore.Store
	cache     *reprise.Cache
	users     *swr.Cache[User]
	config    swr.Config[User]
	policy    reprise.Policy
	products  reprise.Policy
	reports   reprise.Policy
	collector *metrics.Collector
	registry  *prometheus.Registry
	console   *admin.Handler
	logger    *slog.Logger
)

// The program around it.
var (
	ctx    context.Context
	id     string
	key    []byte
	db     database
	mux    *http.ServeMux
	server *http.Server
)

// User and Product are what the program is about.
type User struct{ ID, Name, Team string }

// Validate makes a User what swr.Config.Validate takes.
func (User) Validate() error { return nil }

// Product is what pages show.
type Product struct{ ID, Name string }

type database struct{}

func (database) PingContext(context.Context) error                        { panic("not run") }
func (database) User(context.Context, string) (User, error)               { panic("not run") }
func (database) Users(context.Context, []string) (map[string]User, error) { panic("not run") }
func (database) Product(context.Context, string) (Product, error)         { panic("not run") }

type tenantKey struct{}

func show(http.ResponseWriter, *http.Request)       {}
func showReport(http.ResponseWriter, *http.Request) {}

func basicAuth(password string) func(*http.Request) (user string, ok bool) { panic("not run") }

func authenticate(next http.Handler) http.Handler { return next }

// Where statements may stand.

func inHandler(w http.ResponseWriter, r *http.Request) {}

func inRoutes(r chi.Router) {}

func inTest(t *testing.T) {}
