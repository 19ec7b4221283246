package hmp

import (
	"bytes"
	"encoding/base64"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hmp_exporter/internal/secret"
)

// A mask replaces secrets in texts that a server wrote or had a say in. It finds a
// secret whole or in part, in any case, and also percent-encoded, escaped for JSON or
// HTML, or in base64. A text is always masked before it is shortened: otherwise the
// beginning of a secret could stay.
type mask struct {
	secrets []string
	pieces  map[uint64]bool // those that may be in the text that is masked
}

const (
	// piece is how long a part of a secret is, in bytes, that is masked wherever it
	// stands. A shorter secret is masked where it is a whole word: "a" as a secret must
	// not change every word with an a.
	piece = 8
	// maxMasked bounds a text that is masked, in bytes. The rest is cut off.
	maxMasked = 4 << 10
	// cutTail is how many bytes at the end of a text that was cut are masked as well:
	// there may be less than a piece of a secret, in an encoding.
	cutTail = 12 * piece
)

// newMask returns a mask of secrets. A header's value is one as a whole, and so is each
// word of it: of "Bearer x", x is the secret.
func newMask(secrets ...string) *mask {
	m := &mask{pieces: make(map[uint64]bool)}
	add := func(s string) {
		if s != "" && !slices.Contains(m.secrets, s) {
			m.secrets = append(m.secrets, s)
			if len(s) < piece {
				m.secrets = append(m.secrets, base64.RawStdEncoding.EncodeToString([]byte(s)))
			}
		}
	}
	for _, s := range secrets {
		add(s)
		scheme, rest, words := strings.Cut(s, " ")
		if !words {
			continue
		}
		add(strings.TrimSpace(rest))
		if pair, err := base64.StdEncoding.DecodeString(rest); err == nil && strings.EqualFold(scheme, "Basic") {
			_, password, _ := strings.Cut(string(pair), ":")
			add(password)
		}
	}
	return m
}

// reveal returns the plain values, without empty ones.
func reveal(secrets ...secret.Value) []string {
	var plain []string
	for _, s := range secrets {
		if s := s.Reveal(); s != "" {
			plain = append(plain, s)
		}
	}
	return plain
}

// present returns a text as it can be shown: masked first, then shortened.
func (m *mask) present(text string) string { return presentable(m.apply(text, false)) }

// apply returns a text with [secret.Masked] for each secret. cut is true for a text that
// was longer: its end may be the beginning of a secret.
func (m *mask) apply(text string, cut bool) string {
	if len(m.secrets) == 0 || text == "" {
		return text
	}
	if len(text) > maxMasked {
		text, cut = text[:maxMasked], true
	}
	hidden := make([]bool, len(text))
	views := viewsOf(text)
	m.hidePieces(views, hidden)
	for _, s := range m.secrets {
		if len(s) < piece {
			hideWord(views, s, hidden)
		}
	}
	if cut {
		for i := max(0, len(text)-cutTail); i < len(text); i++ {
			hidden[i] = true
		}
	}
	if !slices.Contains(hidden, true) {
		return text
	}
	var b strings.Builder
	for i, hide := range hidden {
		switch {
		case !hide:
			b.WriteByte(text[i])
		case i == 0 || !hidden[i-1]:
			b.WriteString(secret.Masked)
		}
	}
	return b.String()
}

// A view is a text as somebody may read it: as it stands, or decoded.
type view struct {
	bytes []byte
	from  []uint16 // where each byte begins in the text
	to    []uint16 // where it ends there
}

func newView(size int) view {
	return view{make([]byte, 0, size), make([]uint16, 0, size), make([]uint16, 0, size)}
}

func (v *view) add(b byte, from, to uint16) {
	v.bytes, v.from, v.to = append(v.bytes, b), append(v.from, from), append(v.to, to)
}

// hide hides a part of the text.
func (v *view) hide(begin, end int, hidden []bool) {
	for i := v.from[begin]; i < v.to[end-1]; i++ {
		hidden[i] = true
	}
}

func viewsOf(text string) []view {
	plain := newView(len(text))
	for i := range len(text) {
		plain.add(text[i], uint16(i), uint16(i+1)) // it has at most maxMasked bytes
	}
	views := append([]view{plain}, plain.base64()...)
	for range 3 { // what was encoded twice, too
		next, changed := plain.unescaped()
		if !changed {
			break
		}
		plain = next
		views = append(append(views, plain), plain.base64()...)
	}
	return views
}

// unescaped decodes what percent, JSON and HTML escape.
func (v *view) unescaped() (out view, changed bool) {
	if !bytes.ContainsAny(v.bytes, `%\&`) {
		return view{}, false
	}
	out = newView(len(v.bytes))
	for i := 0; i < len(v.bytes); {
		decoded, n := unescape(v.bytes[i:])
		if n == 0 {
			out.add(v.bytes[i], v.from[i], v.to[i])
			i++
			continue
		}
		for _, b := range []byte(decoded) {
			out.add(b, v.from[i], v.to[i+n-1])
		}
		i, changed = i+n, true
	}
	return out, changed
}

// unescape decodes the escape that b begins with, and returns how long that is.
func unescape(b []byte) (string, int) {
	switch {
	case b[0] == '%' && len(b) >= 3:
		if c, err := strconv.ParseUint(string(b[1:3]), 16, 8); err == nil {
			return string([]byte{byte(c)}), 3
		}
	case b[0] == '\\' && len(b) >= 6 && b[1] == 'u':
		if c, err := strconv.ParseUint(string(b[2:6]), 16, 16); err == nil {
			return string(rune(c)), 6
		}
	case b[0] == '\\' && len(b) >= 2 && strings.IndexByte(`"\/`, b[1]) >= 0:
		return string(b[1:2]), 2
	case b[0] == '&':
		escape, _, ended := strings.Cut(string(b[:min(len(b), 12)]), ";")
		if decoded := html.UnescapeString(escape + ";"); ended && decoded != escape+";" {
			return decoded, len(escape) + 1
		}
	}
	return "", 0
}

// base64 decodes each word that may be of base64, from each of four places on: the
// secret need not begin where the encoding does.
func (v *view) base64() (views []view) {
	const shortest = (piece*8 + 5) / 6
	for begin := 0; begin < len(v.bytes); {
		end := begin
		for end < len(v.bytes) && isBase64(v.bytes[end]) {
			end++
		}
		padded := end
		for padded < len(v.bytes) && v.bytes[padded] == '=' {
			padded++
		}
		for first := begin; first < begin+4 && end-first >= shortest; first++ {
			views = append(views, v.decoded(first, end, v.from[begin], v.to[padded-1]))
		}
		begin = padded + 1
	}
	return views
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("+/-_", c) >= 0
}

// decoded decodes a part of a word. Each byte stands for the whole word in the text.
func (v *view) decoded(first, end int, from, to uint16) view {
	word := strings.NewReplacer("-", "+", "_", "/").Replace(string(v.bytes[first:end]))
	if len(word)%4 == 1 {
		word = word[:len(word)-1]
	}
	decoded, _ := base64.RawStdEncoding.DecodeString(word)
	out := newView(len(decoded))
	for _, b := range decoded {
		out.add(b, from, to)
	}
	return out
}

// hidePieces hides the parts of secrets that are at least a piece long. It passes each
// secret once, whatever the length of the text.
func (m *mask) hidePieces(views []view, hidden []bool) {
	var filter [64]uint64 // most pieces of secrets are not in the text
	for _, v := range views {
		eachPiece(v.bytes, func(_ int, p uint64) { filter[hash(p)/64] |= 1 << (hash(p) % 64) })
	}
	clear(m.pieces)
	for _, s := range m.secrets {
		eachPiece(s, func(_ int, p uint64) {
			if filter[hash(p)/64]>>(hash(p)%64)&1 == 1 {
				m.pieces[p] = true
			}
		})
	}
	if len(m.pieces) == 0 {
		return
	}
	for _, v := range views {
		eachPiece(v.bytes, func(end int, p uint64) {
			if m.pieces[p] {
				v.hide(end-piece, end, hidden)
			}
		})
	}
}

func hash(p uint64) uint64 { return p * 0x9e3779b97f4a7c15 >> 52 }

// eachPiece calls f with each piece, in lower case, and where it ends.
func eachPiece[T string | []byte](s T, f func(end int, p uint64)) {
	var p uint64
	for i := range len(s) {
		p = p<<8 | uint64(lower(s[i]))
		if i+1 >= piece {
			f(i+1, p)
		}
	}
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// hideWord hides a short secret where it is a whole word.
func hideWord(views []view, word string, hidden []bool) {
	for _, v := range views {
		for i := 0; i+len(word) <= len(v.bytes); i++ {
			end := i + len(word)
			if strings.EqualFold(string(v.bytes[i:end]), word) && !letterAt(v.bytes, i-1) && !letterAt(v.bytes, end) {
				v.hide(i, end, hidden)
			}
		}
	}
}

func letterAt(b []byte, i int) bool {
	return i >= 0 && i < len(b) && (b[i] >= utf8.RuneSelf || unicode.IsLetter(rune(b[i])) || unicode.IsDigit(rune(b[i])))
}

// presentable makes a text of at most [MaxMessageLength] characters, and twice as
// many bytes, out of whatever a server wrote: valid UTF-8, with a space for every
// character that a terminal or a log could take for an instruction.
func presentable(s string) string {
	s = strings.TrimSpace(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) && c != utf8.RuneError {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, string(utf8.RuneError))))
	n := 0
	for i, c := range s {
		if n++; n > MaxMessageLength || i+utf8.RuneLen(c) > maxMessageSize {
			return strings.TrimSpace(s[:i])
		}
	}
	return s
}
