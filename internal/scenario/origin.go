package scenario

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// An origin is the handler behind the cache. It answers as the step that is
// being played says.
type origin struct {
	mu    sync.Mutex
	start time.Time // of the scenario
	step  Step
	asked []*http.Request // in this step
}

// play makes s the step that is being played, its body filled in.
func (o *origin) play(s Step) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.step, o.asked = s, nil
}

func (o *origin) requests() []*http.Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	s := o.step.Origin
	o.asked = append(o.asked, r.Clone(r.Context()))
	o.mu.Unlock()

	for _, m := range s.Early {
		o.set(w.Header(), m.Fields)
		w.WriteHeader(m.Status)
		clear(w.Header())
	}
	switch s.Fails {
	case Panics:
		panic("the handler of this scenario fails")
	case Hangs:
		<-r.Context().Done()
		return
	}
	o.set(w.Header(), s.Fields)
	if s.File {
		for name, lines := range maps.Clone(w.Header()) { // http.ServeContent looks for an Etag
			delete(w.Header(), name)
			w.Header()[http.CanonicalHeaderKey(name)] = lines
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(s.Body))
		return
	}
	o.write(w, s)
	if s.Fails == Aborts {
		panic(http.ErrAbortHandler)
	}
}

func (o *origin) write(w http.ResponseWriter, s Origin) {
	trailer, value, _ := cutField(s.Trailer)
	if trailer != "" {
		w.Header().Set("Trailer", trailer)
	}
	if s.Status != 0 {
		w.WriteHeader(s.Status)
	}
	half := 0
	if s.Flush {
		half = len(s.Body) / 2
		w.Write([]byte(s.Body[:half]))
		_ = http.NewResponseController(w).Flush()
	}
	if s.Body != "" {
		w.Write([]byte(s.Body[half:]))
	}
	if trailer != "" {
		w.Header().Set(trailer, value)
	}
}

// set puts fields into h, their names spelt as they are.
func (o *origin) set(h http.Header, fields []string) {
	for _, field := range fields {
		name, value, _ := cutField(field)
		h[name] = append(h[name], dated(value, o.start))
	}
}
