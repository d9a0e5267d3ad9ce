package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// playNotModified shows that a client with a copy gets no body.
func (d *demo) playNotModified(ctx context.Context) error {
	const path = "/categories/7"
	page, err := d.probe.get(ctx, d.other().url+path)
	if err != nil {
		return err
	}
	tag := page.header.Get("ETag")
	if tag == "" {
		return errors.New("a stored answer has no ETag")
	}
	a, err := d.probe.get(ctx, d.first().url+path, "If-None-Match", tag)
	if err == nil {
		err = a.want(http.StatusNotModified, "HIT")
	}
	if err == nil && len(a.body) > 0 {
		err = fmt.Errorf("the 304 has a body of %d bytes", len(a.body))
	}
	if err != nil {
		return err
	}
	d.row(d.first(), "GET "+path+" If-None-Match", a, fmt.Sprintf("0 bytes instead of %s", thousands(len(page.body))))
	return d.wantQueries(ctx, 0)
}

// playHead shows that HEAD is answered from what a GET stored.
func (d *demo) playHead(ctx context.Context) error {
	const path = "/categories/7"
	page, err := d.probe.get(ctx, d.first().url+path)
	if err != nil {
		return err
	}
	a, err := d.probe.send(ctx, http.MethodHead, d.other().url+path, "")
	if err == nil {
		err = a.want(http.StatusOK, "HIT")
	}
	if err != nil {
		return err
	}
	if got := a.header.Get("Content-Length"); got != strconv.Itoa(len(page.body)) || len(a.body) > 0 {
		return fmt.Errorf("Content-Length %q and %d bytes, want %d and 0", got, len(a.body), len(page.body))
	}
	d.row(d.other(), "HEAD "+path, a, "from the stored GET")
	return d.wantQueries(ctx, 0)
}

// playRange shows that a part of a stored download needs neither query nor handler.
func (d *demo) playRange(ctx context.Context) error {
	const path = "/categories/5/products.ndjson"
	whole, err := d.get(ctx, d.first(), path, http.StatusOK, "MISS", "a download")
	if err != nil {
		return err
	}
	size := len(whole.body)
	from, to := size/2, size/2+999
	if to >= size {
		return fmt.Errorf("the download has only %d bytes", size)
	}
	part, err := d.probe.get(ctx, d.other().url+path, "Range", fmt.Sprintf("bytes=%d-%d", from, to))
	if err == nil {
		err = part.want(http.StatusPartialContent, "HIT")
	}
	if err != nil {
		return err
	}
	if want := fmt.Sprintf("bytes %d-%d/%d", from, to, size); part.header.Get("Content-Range") != want {
		return fmt.Errorf("Content-Range %q, want %q", part.header.Get("Content-Range"), want)
	}
	if !bytes.Equal(part.body, whole.body[from:to+1]) {
		return errors.New("the range's bytes are not those of the whole")
	}
	d.row(d.other(), "the same, 1,000 bytes of its middle", part, fmt.Sprintf("of %s bytes", thousands(size)))
	return d.wantQueries(ctx, 1)
}
