package measure

import "net/http"

// A Writer is a ResponseWriter that costs next to nothing. Its header map is used
// again, so that the allocations that are counted are the handler's.
type Writer struct {
	Bytes  int // written since Reset
	header http.Header
}

// NewWriter returns a Writer for one goroutine.
func NewWriter() *Writer { return &Writer{header: make(http.Header)} }

// Reset makes w ready for the next response.
func (w *Writer) Reset() {
	clear(w.header)
	w.Bytes = 0
}

// Header is of http.ResponseWriter.
func (w *Writer) Header() http.Header { return w.header }

// Write is of http.ResponseWriter.
func (w *Writer) Write(p []byte) (int, error) {
	w.Bytes += len(p)
	return len(p), nil
}

// WriteHeader is of http.ResponseWriter.
func (w *Writer) WriteHeader(int) {}
