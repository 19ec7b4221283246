package web

import (
	"bufio"
	"cmp"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// writeBody sends what write writes. With compress, it is compressed if the client accepts
// that. A small body that is not compressed gets a Content-Length. The error says that the
// client does not read.
func writeBody(w http.ResponseWriter, r *http.Request, compress bool, write func(out *bufio.Writer)) error {
	header := w.Header()
	if compress {
		header.Add("Vary", "Accept-Encoding")
		compress = acceptsGzip(r.Header)
	}
	out := buffers.Get().(*bufio.Writer)
	defer buffers.Put(out)
	if !compress {
		out.Reset(w)
		write(out)
		header.Set("Content-Length", strconv.Itoa(out.Buffered())) // without effect if a part has been sent
		return out.Flush()
	}
	header.Set("Content-Encoding", "gzip")
	z := compressors.Get().(*gzip.Writer)
	defer compressors.Put(z)
	z.Reset(w)
	out.Reset(z)
	write(out)
	return cmp.Or(out.Flush(), z.Close())
}

// suspendWriteTimeout lets a client wait without a limit. Its time to read the answer begins with
// resume.
func suspendWriteTimeout(w http.ResponseWriter) (resume func()) {
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Time{})
	return func() { _ = c.SetWriteDeadline(time.Now().Add(writeTimeout)) }
}

var (
	buffers     = sync.Pool{New: func() any { return bufio.NewWriterSize(io.Discard, 32<<10) }}
	compressors = sync.Pool{New: func() any {
		z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // slower levels save little, because metrics are repetitive
		return z
	}}
)
