package web

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

const plainText = "text/plain; charset=utf-8"

// writeLine answers with a line of text.
func writeLine(w http.ResponseWriter, line string) {
	w.Header().Set("Content-Type", plainText)
	fmt.Fprintln(w, line)
}

// writeCompressed answers with a text, compressed if the client accepts that.
func writeCompressed(w http.ResponseWriter, r *http.Request, contentType string, text []byte) {
	w.Header().Set("Content-Type", contentType)
	_ = writeBody(w, r, true, func(out *bufio.Writer) error {
		_, err := out.Write(text)
		return err
	})
}

// writeBody sends what write writes. With compress, the body is compressed if the client accepts
// that. A small body that is not compressed gets a Content-Length. The error is that of a client
// that does not take the answer. If write fails by itself, writeBody panics: recoverPanics logs
// that and cuts the answer off, so that no client takes a part for the whole.
func writeBody(w http.ResponseWriter, r *http.Request, compress bool, write func(out *bufio.Writer) error) error {
	header := w.Header()
	if compress {
		header.Add("Vary", "Accept-Encoding")
		compress = acceptsGzip(r.Header)
	}
	out := buffers.Get().(*bufio.Writer)
	defer buffers.Put(out)
	if !compress {
		out.Reset(w)
		mustWrite(out, write)
		header.Set("Content-Length", strconv.Itoa(out.Buffered())) // without effect if a part has been sent
		return out.Flush()
	}
	header.Set("Content-Encoding", "gzip")
	z := compressors.Get().(*gzip.Writer)
	defer compressors.Put(z)
	z.Reset(w)
	out.Reset(z)
	mustWrite(out, write)
	return cmp.Or(out.Flush(), z.Close())
}

// mustWrite panics if write fails although out takes what it writes. An error of out stays in out,
// so that the next Flush returns it.
func mustWrite(out *bufio.Writer, write func(out *bufio.Writer) error) {
	err := write(out)
	if _, outErr := out.Write(nil); err != nil && outErr == nil {
		panic(err)
	}
}

var (
	buffers     = sync.Pool{New: func() any { return bufio.NewWriterSize(io.Discard, 32<<10) }}
	compressors = sync.Pool{New: func() any {
		z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // slower levels save little, because metrics are repetitive
		return z
	}}
)

func acceptsGzip(h http.Header) bool {
	for accepted := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, parameters, _ := mime.ParseMediaType(accepted) // a coding has the form of a media type
		if quality, err := strconv.ParseFloat(cmp.Or(parameters["q"], "1"), 64); coding == "gzip" && err == nil && quality > 0 {
			return true
		}
	}
	return false
}

// stopWriteTimeout lets a client wait for its answer without a limit, until startWriteTimeout.
func stopWriteTimeout(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
}

// startWriteTimeout begins the time that a client has to read its answer.
func startWriteTimeout(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
}
