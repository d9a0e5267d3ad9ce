package attacks

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"
)

// overHTTP2Attacks are those of the others that are about what HTTP/2 carries in
// another way: fields, cookies, which it may split, and many requests at the same
// time on one connection.
func overHTTP2Attacks() []attack {
	all := slices.Concat(reflectedAttacks()[:3], authorizationAttacks(), cookieAttacks(), varyAttacks(), insideAttacks(), strippedAttacks())
	for i := range all {
		all[i].name, all[i].over = "over HTTP-2, "+all[i].name, overHTTP2
	}
	return all
}

// frameAttacks send what net/http's client would not.
func frameAttacks() []attack {
	return []attack{
		{
			name: "Host beside the authority, over HTTP-2", policy: minute, over: overHTTP2, flow: besideAuthority,
			handler: func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %q", r.Host, r.Header["Host"]) },
		},
		{
			name: "a cookie in crumbs, over HTTP-2", policy: minute, over: overHTTP2, flow: crumbs,
			handler: func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%q", r.Header["Cookie"]) },
		},
	}
}

// crumbs sends a cookie as browsers do (RFC 9113 §8.2.3).
func crumbs(t *testing.T, s *site, id int) {
	for i := range 3 {
		own := fmt.Sprintf("%d-%d", id, i)
		got, err := s.frames("/me", ":authority", victimHost, "cookie", "lang=de", "cookie", "sid="+own)
		if want := fmt.Sprintf("[%q]", "lang=de; sid="+own); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

// The types and flags of frames that are used here (RFC 9113 §6).
const (
	frameData     = 0
	frameHeaders  = 1
	frameSettings = 4
	flagEndStream = 1 // of data and headers; of settings: they are acknowledged
	flagEndHeader = 4
)

// frames sends a GET in frames of its own, and returns the body of the answer.
func (s *server) frames(target string, fields ...string) (body string, _ error) {
	trust := s.trust.Clone()
	trust.NextProtos = []string{"h2"}
	c, err := tls.Dial("tcp", s.tlsAddr, trust)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	out := frame([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frameSettings, 0, 0, nil)
	fields = append([]string{":method", "GET", ":scheme", "https", ":path", target}, fields...)
	if _, err := c.Write(frame(out, frameHeaders, flagEndStream|flagEndHeader, 1, literals(fields))); err != nil {
		return "", err
	}
	for {
		var head [9]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return body, err
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(c, payload); err != nil {
			return body, err
		}
		switch kind, flags := head[3], head[4]; {
		case kind == frameSettings && flags&flagEndStream == 0:
			_, err = c.Write(frame(nil, frameSettings, flagEndStream, 0, nil))
		case kind == frameData:
			body += string(payload)
			fallthrough
		case kind == frameHeaders:
			if flags&flagEndStream != 0 {
				return body, nil
			}
		case kind == 3 || kind == 7: // RST_STREAM, GOAWAY
			err = errors.New("refused")
		}
		if err != nil {
			return body, err
		}
	}
}

func frame(dst []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	n := len(payload)
	dst = append(dst, byte(n>>16), byte(n>>8), byte(n), kind, flags)
	return append(binary.BigEndian.AppendUint32(dst, stream), payload...)
}

// literals writes pairs of names and values, each shorter than 127 bytes, as they
// are (RFC 7541 §6.2.2).
func literals(fields []string) (block []byte) {
	for i := 0; i < len(fields); i += 2 {
		block = append(block, 0)
		for _, s := range fields[i : i+2] {
			block = append(append(block, byte(len(s))), s...)
		}
	}
	return block
}

// besideAuthority sends a Host that is not the host asked for, which net/http
// shows to handlers.
func besideAuthority(t *testing.T, s *site, id int) {
	for _, target := range []string{fmt.Sprint("/", id), fmt.Sprint("/", id)} {
		for _, host := range []string{"evil.example", "", "other.example"} {
			fields := []string{":authority", victimHost}
			want := victimHost + " []"
			if host != "" {
				fields, want = append(fields, "host", host), fmt.Sprintf("%s [%q]", victimHost, host)
			}
			if got, err := s.frames(target, fields...); err != nil || got != want {
				t.Errorf("Host: %q: got %q, %v, want %q", host, got, err, want)
			}
		}
	}
}
