package metrics

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

// Options say how a Collector shows what it counts. The zero value is fine.
type Options struct {
	_ [0]func()

	// ConstLabels are put on every metric. They let two Collectors share a
	// registry: give both the same names and different values.
	ConstLabels prometheus.Labels

	// Buckets are the upper bounds of the classic histogram buckets: seconds,
	// finite, more than 0, ascending. nil: from 10 µs to 10 s. Not nil, but
	// empty: native histograms alone.
	Buckets []float64
}

// defaultBuckets tell a hit in memory (10 µs) from one that asked Redis, and
// show both the redisstore's default deadline (50 ms) and the fills.
var defaultBuckets = []float64{
	10e-6, 100e-6, 500e-6, 1e-3, 5e-3, 10e-3, 50e-3, 0.1, 0.25, 0.5, 1, 2.5, 10,
}

// An OptionError is one thing that is wrong with Options.
type OptionError struct {
	Option string
	Value  any
	Reason string
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("metrics: %s = %v: %s", e.Option, e.Value, e.Reason)
}

// validate reports everything that is wrong with o, as joined *OptionErrors.
func (o Options) validate() error {
	var errs []error
	check := func(ok bool, option string, value any, reason string) {
		if !ok {
			errs = append(errs, &OptionError{option, value, reason})
		}
	}
	names := make([]string, 0, len(o.ConstLabels))
	for name := range o.ConstLabels {
		names = append(names, name)
	}
	slices.Sort(names) // the same errors in the same order, every time
	for _, name := range names {
		check(isLabelName(name), "ConstLabels", name, "not a label name")
		check(!slices.Contains(ownLabels, name), "ConstLabels", name, "a label of reprise's own")
		check(utf8.ValidString(o.ConstLabels[name]), "ConstLabels", name, "value is not UTF-8")
	}
	for i, bound := range o.Buckets {
		option := fmt.Sprintf("Buckets[%d]", i)
		check(bound > 0 && !math.IsInf(bound, 1), option, bound, "not a positive, finite number of seconds")
		check(i == 0 || bound > o.Buckets[i-1], option, bound, "not more than the one before")
	}
	return errors.Join(errs...)
}

// isLabelName reports whether s may be a label name everywhere. Prometheus 3
// takes any UTF-8, but then every query has to quote it. A leading "__" is
// Prometheus's own.
func isLabelName(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		case c >= '0' && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return s != "" && !strings.HasPrefix(s, "__")
}
