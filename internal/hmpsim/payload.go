package hmpsim

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strconv"
)

// A field is one of the members of the payload's data object.
type field struct {
	name string
	json string
	bulk *bulk // not nil: streamed in place of json
}

func (f field) named(name string) field {
	f.name = name
	return f
}

// writePayload writes {"data":{…}}. A client that goes ends it early, which is
// no error of the server's.
func writePayload(w io.Writer, fields []field) {
	buf := bufio.NewWriterSize(w, 32<<10)
	_, _ = buf.WriteString(`{"data":{`)
	for i, f := range fields {
		if i > 0 {
			_ = buf.WriteByte(',')
		}
		_, _ = buf.WriteString(strconv.Quote(f.name) + ":")
		if f.bulk == nil {
			_, _ = buf.WriteString(f.json)
		} else if err := f.bulk.write(buf); err != nil {
			return
		}
	}
	_, _ = buf.WriteString("}}")
	_ = buf.Flush()
}

// sendHalf sets the headers of a whole session and returns its first half.
func sendHalf(w http.ResponseWriter, s Session, c Call) []byte {
	var whole bytes.Buffer
	writePayload(&whole, s.fields(c.HandOut()))
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Content-Length", strconv.Itoa(whole.Len()))
	return whole.Bytes()[:whole.Len()/2]
}
