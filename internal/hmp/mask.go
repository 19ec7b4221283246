package hmp

import (
	"encoding/base64"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hmp_exporter/internal/secret"
)

// A mask hides secrets in texts that a server wrote or had a say in. It replaces each
// word in which a part of a secret shows: in any case, percent-encoded, escaped for JSON
// or HTML, or in base64. A text is masked before it is shortened: otherwise the beginning
// of a secret could stay.
type mask struct {
	secrets []string

	// Made of the secrets as soon as there is something to mask.
	ready    bool
	long     string   // all of them, in lower case
	short    []string // their words that are shorter than a piece
	searched int      // how much work was done so far
}

const (
	// piece is how many bytes of a secret in a row hide a word. A shorter secret hides a
	// word only where no letter or digit is next to it.
	piece = 8
	// maxMasked bounds a text that is masked, in bytes. The rest is cut off.
	maxMasked = 4 << 10
	// maxSearched bounds the work that a hostile server can make: the bytes of texts,
	// times those of secrets. Beyond it, every word is hidden.
	maxSearched = 64 << 20
)

func (m *mask) prepare() {
	if m.ready {
		return
	}
	m.ready = true
	for _, s := range m.secrets {
		if scheme, pair, _ := strings.Cut(s, " "); strings.EqualFold(scheme, "Basic") {
			plain, _ := base64.StdEncoding.DecodeString(pair)
			_, password, _ := strings.Cut(string(plain), ":")
			m.secrets = append(m.secrets, password)
		}
	}
	all := strings.Join(m.secrets, "\x00")
	m.long = strings.ToLower(all)
	for word := range strings.FieldsFuncSeq(all, func(c rune) bool { return c == 0 || unicode.IsSpace(c) }) {
		if len(word) < piece {
			encoded := base64.RawStdEncoding.EncodeToString([]byte(word))
			m.short = append(m.short, strings.ToLower(word), strings.ToLower(encoded))
		}
	}
}

// show returns a text as it can be shown: printable, masked, then shortened. Where the
// end of the text is missing, its last word could be the beginning of a secret.
func (m *mask) show(text string, whole bool) string {
	m.prepare()
	if len(text) > maxMasked {
		text, whole = text[:maxMasked], false
	}
	words := strings.Split(printable(text), " ")
	for i, word := range words {
		if m.hides(word) {
			words[i] = secret.Masked
		}
	}
	if !whole {
		words[len(words)-1] = "…"
	}
	return shortened(strings.Join(words, " "))
}

// sentence returns what show does, but a text that is too long ends with a whole word.
func (m *mask) sentence(text string) string {
	shown := m.show(text, true)
	if utf8.RuneCountInString(shown) < MaxMessageLength && len(shown) < maxMessageSize-utf8.UTFMax {
		return shown
	}
	if end := strings.LastIndexByte(shown[:len(shown)-len(" …")], ' '); end > 0 {
		return shown[:end] + " …"
	}
	return shown
}

var (
	escapes   = regexp.MustCompile(`%[[:xdigit:]]{2}|\\u[[:xdigit:]]{4}|\\["\\/]|&#?\w+;`)
	inBase64  = regexp.MustCompile(`[A-Za-z0-9+/_-]{11,}`) // a piece has eleven characters
	forBase64 = strings.NewReplacer("-", "+", "_", "/")
)

// hides tells whether a part of a secret shows in a word, which may be encoded up to
// three times.
func (m *mask) hides(word string) bool {
	for range 4 {
		if m.contains(word) {
			return true
		}
		for _, run := range inBase64.FindAllString(word, -1) {
			run = forBase64.Replace(run)
			for from := range 4 { // the secret need not begin where the encoding does
				decoded, _ := base64.RawStdEncoding.DecodeString(run[from:])
				if m.contains(string(decoded)) {
					return true
				}
			}
		}
		if !strings.ContainsAny(word, `%\&`) {
			break
		}
		word = escapes.ReplaceAllStringFunc(word, unescaped)
	}
	return false
}

// unescaped decodes one escape.
func unescaped(escape string) string {
	switch {
	case escape[0] == '&':
		return html.UnescapeString(escape)
	case escape[0] == '%':
		c, _ := strconv.ParseUint(escape[1:], 16, 8)
		return string([]byte{byte(c)})
	case escape[1] == 'u':
		c, _ := strconv.ParseUint(escape[2:], 16, 16)
		return string(rune(c))
	default:
		return escape[1:]
	}
}

// contains tells whether a text has a piece of a secret, or a short secret as a word.
func (m *mask) contains(text string) bool {
	if m.searched += len(text) * len(m.long); m.searched > maxSearched {
		return true
	}
	text = strings.ToLower(text)
	for end := piece; end <= len(text); end++ {
		if strings.Contains(m.long, text[end-piece:end]) {
			return true
		}
	}
	return slices.ContainsFunc(m.short, func(word string) bool { return hasWord(text, word) })
}

// hasWord tells whether a text has a word, with no letter or digit next to it.
func hasWord(text, word string) bool {
	inWord := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] >= utf8.RuneSelf || text[i] >= 'a' && text[i] <= 'z' || text[i] >= '0' && text[i] <= '9')
	}
	for i := range text {
		if strings.HasPrefix(text[i:], word) && !inWord(i-1) && !inWord(i+len(word)) {
			return true
		}
	}
	return false
}

// printable returns a text as valid UTF-8, with a space for every character that a
// terminal or a log could take for an instruction.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) && c != utf8.RuneError {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
}

// shortened returns at most [MaxMessageLength] characters of a text, and twice as many
// bytes.
func shortened(text string) string {
	text = strings.TrimSpace(text)
	n := 0
	for i, c := range text {
		if n++; n > MaxMessageLength || i+utf8.RuneLen(c) > maxMessageSize {
			return strings.TrimSpace(text[:i])
		}
	}
	return text
}
