package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"sync"

	"github.com/reprise-go/reprise/health"
	"github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// Options wire a Handler. Cache and Authorize are required.
type Options struct {
	_ [0]func()

	Cache *middleware.Cache

	// Authorize tells who sends a request, and whether he may do all that a Handler
	// does. It compares secrets in constant time, and is called for each request, from
	// any goroutine. principal is for the log and the page.
	Authorize func(*http.Request) (principal string, ok bool)
	// Challenge is the WWW-Authenticate of the 401 for who may not, such as
	// `Basic realm="admin"`; "": he gets a 403.
	Challenge string

	// Routes is the program's router, where explanations look for a request's policy;
	// nil: nothing can be explained.
	Routes http.Handler
	// Counts is what the charts and /stats show, a metrics.Collector for instance;
	// nil: there are none.
	Counts middleware.Counter
	// DataCaches are shown by name; swr.Cache is a Tally.
	DataCaches map[string]Tally
	// Stores are asked how they are, by name; nil: that of Cache, as "cache".
	Stores map[string]store.Pinger
	// Logger gets a line at Info for each purge, with the principal and without a key,
	// and one at Warn for those who are turned away, once a minute; nil: none.
	Logger *slog.Logger
}

// A Tally tells what a data cache has counted.
type Tally interface{ Stats() swr.Stats }

// An OptionError is one thing that is wrong with Options.
type OptionError struct {
	Option string
	Value  any
	Reason string
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("admin: %s = %v: %s", e.Option, e.Value, e.Reason)
}

func (o Options) validate() error {
	var errs []error
	check := func(ok bool, option string, value any, reason string) {
		if !ok {
			errs = append(errs, &OptionError{option, value, reason})
		}
	}
	check(o.Cache != nil, "Cache", nil, "required")
	check(o.Authorize != nil, "Authorize", nil, "required: a handler that purges is not for everybody")
	for name, s := range o.Stores {
		check(s != nil, "Stores", name, "nil")
	}
	for name, t := range o.DataCaches {
		check(t != nil, "DataCaches", name, "nil")
	}
	return errors.Join(errs...)
}

// A Handler is an http.Handler for those who run the program. Its methods may be
// called at the same time, from any goroutine.
type Handler struct {
	o      Options
	origin *http.CrossOriginProtection
	denied denials
	trend  trend

	stop    context.CancelFunc
	sampled sync.WaitGroup
}

// New returns a Handler, which takes samples of Options.Counts until it is closed. It
// reports everything that is wrong with o at once, as joined *OptionErrors.
func New(o Options) (*Handler, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Stores == nil {
		o.Stores = map[string]store.Pinger{"cache": o.Cache}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{o: o, origin: http.NewCrossOriginProtection()}
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	if o.Counts != nil {
		h.trend.add(o.Counts)
		h.sampled.Go(func() { h.trend.follow(ctx, o.Counts) })
	}
	return h, nil
}

// Close ends the sampling. Requests are still answered.
func (h *Handler) Close() {
	h.stop()
	h.sampled.Wait()
}

// An action answers a request of who was let in.
type action func(h *Handler, w http.ResponseWriter, r *http.Request, who string)

// An endpoint is what can be done at one path. What changes something, or runs a
// handler of the program's, is done by POST alone.
type endpoint struct{ get, post action }

var endpoints = map[string]endpoint{
	"/":            {get: (*Handler).console},
	"/console.css": {get: asset("console.css", "text/css; charset=utf-8")},
	"/console.js":  {get: asset("console.js", "text/javascript; charset=utf-8")},
	"/policies":    {get: (*Handler).policies},
	"/stats":       {get: (*Handler).stats},
	"/purges":      {get: (*Handler).purges},
	"/health":      {get: (*Handler).health},
	"/explain":     {post: (*Handler).explain},
	"/purge":       {post: (*Handler).purge},
}

// ServeHTTP is of http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	guard(w.Header())
	who, ok := h.o.Authorize(r)
	if !ok {
		h.turnAway(w, r)
		return
	}
	e, known := endpoints[r.URL.Path]
	switch {
	case r.URL.Path == "":
		toDirectory(w, r)
	case !known:
		fail(w, &problem{http.StatusNotFound, "no such endpoint"})
	case e.get != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		e.get(h, w, r, who)
	case e.post != nil && r.Method == http.MethodPost:
		e.post(h, w, r, who)
	default:
		w.Header().Set("Allow", e.allow())
		fail(w, &problem{http.StatusMethodNotAllowed, "not by this method"})
	}
}

func (e endpoint) allow() string {
	if e.get == nil {
		return "POST"
	}
	return "GET, HEAD"
}

// toDirectory sends who asks for the mount without its slash to where the page's links
// work. They are relative, and so is this: nobody here knows what stands before.
func toDirectory(w http.ResponseWriter, r *http.Request) {
	mount := "admin"
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		mount = path.Base(u.EscapedPath())
	}
	w.Header().Set("Location", "./"+mount+"/")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

func (h *Handler) policies(w http.ResponseWriter, _ *http.Request, _ string) {
	reply(w, http.StatusOK, policiesOf(h.o.Cache))
}

func (h *Handler) stats(w http.ResponseWriter, _ *http.Request, _ string) {
	reply(w, http.StatusOK, h.statistics())
}

func (h *Handler) purges(w http.ResponseWriter, _ *http.Request, _ string) {
	list := h.o.Cache.Purges()
	if list == nil {
		list = []middleware.PurgeEvent{} // [] in JSON
	}
	reply(w, http.StatusOK, list)
}

func (h *Handler) health(w http.ResponseWriter, r *http.Request, _ string) {
	reply(w, http.StatusOK, h.report(r.Context()))
}

func (h *Handler) report(ctx context.Context) health.Report {
	return health.Probe{Stores: h.o.Stores}.Report(ctx)
}
