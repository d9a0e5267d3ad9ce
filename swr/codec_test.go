package swr_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/reprise-go/reprise/store"

	"github.com/reprise-go/reprise/swr"
)

// A price encodes itself. One that appends does not like to be marshalled.
type price struct{ cents uint32 }

func (p price) MarshalBinary() ([]byte, error) { return nil, errors.New("it can append") }

func (p price) AppendBinary(dst []byte) ([]byte, error) {
	return binary.BigEndian.AppendUint32(dst, p.cents), nil
}

func (p *price) UnmarshalBinary(data []byte) error {
	if len(data) != 4 {
		return errors.New("not 4 bytes")
	}
	p.cents = binary.BigEndian.Uint32(data)
	return nil
}

func TestBinaryEncodesByTheTypesOwnMethods(t *testing.T) {
	st := newMemstore(t)
	c, err := swr.NewCache(st, swr.Config[price]{Name: "price", Windows: base.Windows, Codec: swr.Binary[price, *price]{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetOrSet(t.Context(), "x", func(context.Context) (price, error) { return price{299}, nil }); err != nil {
		t.Fatal(err)
	}
	if it, err := st.Get(t.Context(), c.Key("x")); err != nil || len(it.Body) != 4 {
		t.Errorf("%v, %v", it, err)
	}
	if p, err := c.Get(t.Context(), "x"); err != nil || p.cents != 299 {
		t.Errorf("%v, %v", p, err)
	}
	if _, err := (swr.Binary[price, *price]{}).Decode([]byte("x")); err == nil {
		t.Error("decoded one byte")
	}

	// time.Time does not know how to append in older versions; both work.
	var times swr.Binary[time.Time, *time.Time]
	now := time.Now().Round(0)
	data, err := times.Append([]byte("before"), now)
	if err != nil || string(data[:6]) != "before" {
		t.Fatal(err)
	}
	if got, err := times.Decode(data[6:]); err != nil || !got.Equal(now) {
		t.Errorf("%v, %v", got, err)
	}
}

type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errors.New("cannot") }

func TestWhatDoesNotEncodeIsHandedOut(t *testing.T) {
	c, err := swr.NewCache(newMemstore(t), swr.Config[failing]{Name: "x", Windows: base.Windows})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetOrSet(t.Context(), "x", func(context.Context) (failing, error) { return failing{}, nil }); err != nil {
		t.Error(err)
	}
	if err := c.Set(t.Context(), "x", failing{}, 0); err == nil {
		t.Error("set")
	}
	if s := c.Stats(); s.Refused != 2 {
		t.Errorf("%+v", s)
	}
}

// A change of what a stored value means is a miss, and a change of names is none.
func TestAnotherTypeIsAMiss(t *testing.T) {
	type (
		node    struct{ Next *node }
		renamed struct{ Next *renamed }
		other   struct{ Next **other }
		empty   struct{}
		tagged  struct {
			Next *empty `json:"n"`
		}
		deep struct {
			M map[string][]struct{ A [2]any }
		}
		deeper struct {
			M map[string][]struct{ A [3]any }
		}
		typed struct {
			M map[string][]struct{ A [2]error }
		}
		private struct {
			Next *private
			_    int
		}
	)
	prints := map[uint64]string{}
	for name, p := range map[string]uint64{
		"node": swr.Fingerprint[node](""), "other": swr.Fingerprint[other](""), "tagged": swr.Fingerprint[tagged](""),
		"deep": swr.Fingerprint[deep](""), "deeper": swr.Fingerprint[deeper](""), "typed": swr.Fingerprint[typed](""),
		"version": swr.Fingerprint[node]("2"), "int": swr.Fingerprint[int](""), "string": swr.Fingerprint[string](""),
		"pointer": swr.Fingerprint[*node](""), "slice": swr.Fingerprint[[]node](""),
	} {
		if twin := prints[p]; twin != "" {
			t.Errorf("%s is %s", name, twin)
		}
		prints[p] = name
	}
	if swr.Fingerprint[node]("") != swr.Fingerprint[renamed]("") || swr.Fingerprint[node]("") != swr.Fingerprint[private]("") {
		t.Error("a name counts")
	}
	if got := swr.Fingerprint[user](""); got != 0x9cac817420f98449 {
		t.Errorf("%#x: what programs of today store would be a miss", got)
	}
}

// tangle is a type that refers to many, each of which refers to all of them.
type tangle struct {
	A *knot[[1]int]
	B *knot[[2]int]
	C *knot[[3]int]
	D *knot[[4]int]
	E *knot[[5]int]
	F *knot[[6]int]
	G *knot[[7]int]
	H *knot[[8]int]
	I *knot[[9]int]
	J *knot[[10]int]
	K *knot[[11]int]
	L *knot[[12]int]
}

type knot[K any] struct {
	A   *knot[[1]int]
	B   *knot[[2]int]
	C   *knot[[3]int]
	D   *knot[[4]int]
	E   *knot[[5]int]
	F   *knot[[6]int]
	G   *knot[[7]int]
	H   *knot[[8]int]
	I   *knot[[9]int]
	J   *knot[[10]int]
	K   *knot[[11]int]
	L   *knot[[12]int]
	Own K
}

// Types of a schema with many relations refer to each other in very many ways.
func TestTypesThatReferToEachOtherHaveAFingerprint(t *testing.T) {
	type list []list
	type lists map[string][]lists
	done := make(chan struct{})
	go func() {
		defer close(done)
		if swr.Fingerprint[tangle]("") == swr.Fingerprint[knot[[1]int]]("") || swr.Fingerprint[list]("") == swr.Fingerprint[lists]("") {
			t.Error("different types have one fingerprint")
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("no fingerprint after 10 s")
	}
}

// A value that says it was made before the Flood is stale, not new.
func TestAValueOfTheFarPastIsStale(t *testing.T) {
	inDen(t, func(t *testing.T, d *den) {
		if err := d.c.Set(t.Context(), "1", user{Name: "x"}, 0); err != nil {
			t.Fatal(err)
		}
		it, err := d.st.Get(t.Context(), "user:1")
		if err != nil {
			t.Fatal(err)
		}
		meta := bytes.Clone(it.Meta)
		binary.LittleEndian.PutUint64(meta[12:], 1<<63) // the least number there is, where the time of birth stands
		commit(t, d.st, "user:1", store.Entry{Meta: meta, Body: it.Body, Life: time.Hour})
		if u, err := d.c.Get(t.Context(), "1"); !errors.Is(err, swr.ErrMiss) {
			t.Errorf("%v, %v", u, err)
		}
	})
}
