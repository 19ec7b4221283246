package hmpsim

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"net/http"
)

// bulkFields are the fields that grow with a system: maps of permissions keyed
// by object id.
var bulkFields = [...]string{"assets", "sections", "sharePermissions", "sources"}

// Large answers 200 with a session of about size bytes, as that of an admin of
// a system with many objects. The bulk stands in the maps before the service
// messages, is the same each time, and is made while it is sent: a gigabyte
// takes no more memory than a kilobyte. What HMP says of one object is not
// documented; the entries here are of a likely shape and size.
func Large(s Session, size int64) Behaviour {
	return BehaviourFunc(func(w http.ResponseWriter, _ *http.Request, c Call) {
		w.Header().Set("Content-Type", jsonType)
		fields := s.fields(c.HandOut())
		entries := size / bulkEntrySize / int64(len(bulkFields))
		for i := range fields {
			for n, name := range bulkFields {
				if fields[i].name == name {
					fields[i].bulk = &bulk{entries: entries, seed: uint64(n) << 56}
				}
			}
		}
		writePayload(w, fields)
	})
}

// bulk is a JSON object of many entries, each a UUID and permissions.
type bulk struct {
	entries int64
	seed    uint64 // maps with another seed have other keys
}

const (
	bulkPermissions = `:{"view":true,"edit":true,"delete":false,"share":true},`
	bulkEntrySize   = int64(len(`""`) + 36 + len(bulkPermissions))
)

func (b *bulk) write(w *bufio.Writer) error {
	_ = w.WriteByte('{')
	entry := make([]byte, 0, bulkEntrySize)
	for i := range b.entries {
		entry = append(entry[:0], '"')
		entry = appendUUID(entry, b.seed+uint64(i))
		entry = append(entry, '"')
		entry = append(entry, bulkPermissions...)
		if i == b.entries-1 {
			entry = entry[:len(entry)-1] // no comma after the last
		}
		if _, err := w.Write(entry); err != nil {
			return err
		}
	}
	return w.WriteByte('}')
}

// appendUUID appends the n-th of a fixed sequence of version 4 UUIDs.
func appendUUID(b []byte, n uint64) []byte {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], mix(2*n))
	binary.BigEndian.PutUint64(id[8:], mix(2*n+1))
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	for i, part := range [...][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return b
}

// mix is the finalizer of splitmix64: it makes a counter look random, and no
// two counters the same.
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
