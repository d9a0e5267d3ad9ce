package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/go-playground/validator/v10"
	"go.uber.org/goleak"

	"github.com/reprise-go/reprise/swr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Locked loads once each time; stale-while-revalidate has nobody wait for what has
// ended. REDIS_URL has it run on that Redis.
func TestShow(t *testing.T) {
	st, done, err := open(os.Getenv("REDIS_URL"))
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	var out bytes.Buffer
	if err := show(t.Context(), &out, st); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 10 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		loads, err := strconv.Atoi(fields[len(fields)-5])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		switch fastest, _ := strconv.Atoi(fields[len(fields)-4]); {
		case fields[0] == "aside" && loads < 2:
			t.Errorf("%q: nobody loads beside another", line)
		case fields[0] != "aside" && loads != 1:
			t.Errorf("%q: not one load", line)
		case strings.HasPrefix(line, "revalidated  when") && fastest >= 100:
			t.Errorf("%q: all waited", line)
		}
	}
}

// The recipe with go-playground/validator: what its tags refuse is not handed out.
func TestValidated(t *testing.T) {
	st, done, err := open(os.Getenv("REDIS_URL"))
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	careful, err := swr.NewCache(st, swr.Config[Product]{
		Name: "validated", Windows: swr.Windows{Fresh: 1 << 40}, Validate: validated[Product](validator.New()),
	})
	if err != nil {
		t.Fatal(err)
	}
	careless, err := swr.NewCache(st, swr.Config[Product]{Name: "validated", Windows: swr.Windows{Fresh: 1 << 40}})
	if err != nil {
		t.Fatal(err)
	}
	bad := Product{ID: "42", Name: "chair", Cents: -1}
	if err := careless.Set(t.Context(), "42", bad, 0); err != nil {
		t.Fatal(err)
	}
	if p, err := careful.Get(t.Context(), "42"); !errors.Is(err, swr.ErrMiss) {
		t.Errorf("got %+v, %v", p, err)
	}
	var fields validator.ValidationErrors
	_, err = careful.GetOrSet(t.Context(), "42", func(context.Context) (Product, error) { return bad, nil })
	if !errors.Is(err, swr.ErrInvalid) || !errors.As(err, &fields) || fields[0].Field() != "Cents" {
		t.Errorf("got %v", err)
	}
	good := Product{ID: "42", Name: "chair", Cents: 1}
	if p, err := careful.GetOrSet(t.Context(), "42", func(context.Context) (Product, error) { return good, nil }); p != good || err != nil {
		t.Errorf("got %+v, %v", p, err)
	}
}
