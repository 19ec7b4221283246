package hmp

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hmp_exporter/internal/secret"
)

// A mask masks secrets in texts of a server. It replaces each word that has a part of a
// secret: in any case, percent-encoded, escaped for JSON or HTML, in base64 or hexadecimal. It masks a
// text before it shortens it. Otherwise the beginning of a secret could stay.
type mask struct {
	secrets []string

	// Set by prepare when there is a text to mask.
	ready bool
	long  string   // all secrets, in lower case
	short []string // their words that are shorter than minMatch
	work  int      // bytes compared so far
}

// newMask returns a mask of secrets. Make a new mask when there are more secrets.
func newMask(secrets ...string) *mask { return &mask{secrets: secrets} }

const (
	// minMatch is how many consecutive bytes of a secret mask a word. A shorter secret masks
	// a word only if no letter or digit is next to it. Below minSecret it masks nothing: a
	// header with the value 4 would mask the version 4.1.1.
	minMatch, minSecret = 8, 3
	// maxMasked bounds a text to mask, in bytes. The rest is cut off.
	maxMasked = 4 << 10
	// maxWork bounds the work that a hostile server can cause: bytes of texts times bytes
	// of secrets. Beyond it, every word is masked.
	maxWork = 64 << 20
)

func (m *mask) prepare() {
	if m.ready {
		return
	}
	m.ready = true
	secrets := slices.Clip(m.secrets)
	for _, s := range m.secrets {
		if scheme, pair, _ := strings.Cut(s, " "); strings.EqualFold(scheme, "Basic") {
			plain, _ := base64.StdEncoding.DecodeString(pair)
			_, password, _ := strings.Cut(string(plain), ":")
			secrets = append(secrets, password)
		}
	}
	all := strings.Join(secrets, "\x00")
	m.long = strings.ToLower(all)
	for word := range strings.FieldsFuncSeq(all, func(c rune) bool { return c == 0 || unicode.IsSpace(c) }) {
		if len(word) < minMatch && len(word) >= minSecret {
			encoded := base64.RawStdEncoding.EncodeToString([]byte(word))
			m.short = append(m.short, strings.ToLower(word), strings.ToLower(encoded))
		}
	}
}

// apply returns a text without control characters, masked and shortened. If the text is not
// whole, it drops the last word, which could be the beginning of a secret.
func (m *mask) apply(text string, whole bool) string {
	m.prepare()
	if len(text) > maxMasked {
		text, whole = text[:maxMasked], false
	}
	words := strings.Split(withoutControls(text), " ")
	for i, word := range words {
		if m.revealsSecret(word) {
			words[i] = secret.Masked
		}
	}
	if !whole {
		words[len(words)-1] = "…"
	}
	return shortened(strings.Join(words, " "), MaxTextLength)
}

// sentence is apply for a whole text, but a long text ends with a whole word and an ellipsis.
func (m *mask) sentence(text string) string {
	masked := m.apply(text, true)
	if short := shortened(masked, MaxTextLength-len(" …")); short != masked {
		masked = short[:max(strings.LastIndexByte(short, ' '), 0)] + " …"
	}
	return masked
}

var (
	escapes   = regexp.MustCompile(`%[[:xdigit:]]{2}|\\u[[:xdigit:]]{4}|\\["\\/]|&#?\w+;`)
	inBase64  = regexp.MustCompile(`[A-Za-z0-9+/_-]{11,}`) // eight bytes have eleven characters
	inHex     = regexp.MustCompile(`(?:[[:xdigit:]]{2}){8,}`)
	forBase64 = strings.NewReplacer("-", "+", "_", "/")
)

// revealsSecret reports whether a word has a part of a secret. The word may be encoded up to
// three times.
func (m *mask) revealsSecret(word string) bool {
	for range 4 {
		if m.contains(word) {
			return true
		}
		for _, run := range inBase64.FindAllString(word, -1) {
			run = forBase64.Replace(run)
			for from := range 4 { // the secret may begin within a group of four characters
				decoded, _ := base64.RawStdEncoding.DecodeString(run[from:])
				if m.contains(string(decoded)) {
					return true
				}
			}
		}
		for _, run := range inHex.FindAllString(word, -1) {
			decoded, _ := hex.DecodeString(run)
			if m.contains(string(decoded)) {
				return true
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

// contains reports whether a text has minMatch bytes of a secret, or a short secret as a
// word.
func (m *mask) contains(text string) bool {
	if m.work += len(text) * len(m.long); m.work > maxWork {
		return true
	}
	text = strings.ToLower(text)
	for end := minMatch; end <= len(text); end++ {
		if strings.Contains(m.long, text[end-minMatch:end]) {
			return true
		}
	}
	return slices.ContainsFunc(m.short, func(word string) bool { return hasWord(text, word) })
}

// hasWord reports whether a text has a word with no letter or digit next to it.
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

// withoutControls returns a text as valid UTF-8. It replaces control characters, which could
// change a terminal or a log, with spaces.
func withoutControls(text string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) && c != utf8.RuneError {
			return ' '
		}
		return c
	}, text)
}

// shortened returns at most a number of characters of a text, and twice as many bytes.
// Otherwise twenty texts of emoji would be larger than all other metrics of a session.
func shortened(text string, limit int) string {
	text = strings.TrimSpace(text)
	n := 0
	for i, c := range text {
		if n++; n > limit || i+utf8.RuneLen(c) > 2*limit {
			return strings.TrimSpace(text[:i])
		}
	}
	return text
}
