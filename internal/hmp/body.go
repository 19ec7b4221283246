package hmp

import (
	"io"
	"slices"
	"strings"
	"sync"
)

const (
	// MaxMessages is the maximum number of service messages whose texts are kept.
	MaxMessages = 20
	// MaxMessageLength bounds the text of a service message, in characters.
	MaxMessageLength = 200
	// maxMessageSize bounds the text in bytes too. Otherwise twenty texts of emoji would be
	// larger than all other metrics of a session.
	maxMessageSize = 2 * MaxMessageLength

	// A character takes at most twelve bytes of JSON source: two \u escapes.
	maxMessageSource = 12 * MaxMessageLength
	maxTokenSource   = 8 << 10
	maxFieldSource   = 256
	maxNumberSource  = 64

	// maxKnownFields bounds the known fields that are read if a body repeats them. A session
	// has eleven.
	maxKnownFields = 256
)

const (
	errNotAnObject formError = "the body is not a JSON object"
	errNoData      formError = "the body has no data object"
)

// A payload has the values of a body: of the session object under "data", and of an error
// envelope. If a name occurs twice, the last one counts, as in JavaScript.
type payload struct {
	hasData      bool
	details      Details
	token        string // the authToken, if it differs from the one sent and is valid in a header
	rotated      bool   // the authToken differs from the one sent
	invalidToken bool   // the authToken is not valid in a header

	code    string
	message string
	body    Body
	secrets []string // secrets in the body, perhaps only their beginning
}

// A decoder decodes one body at a time. Decoders are reused.
type decoder struct {
	scanner
	*payload
	sent         string // the authToken that was sent
	texts        bool   // whether to keep the texts of service messages
	knownFields  int    // known fields so far
	messagesSeen int    // elements of serviceMessages so far
	messages     []rawText
}

// A rawText is a service message that may hold secrets.
type rawText struct {
	text  string
	whole bool
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decode reads a body of at most limit bytes to its end. If the body is broken or too large,
// the payload has only the error code and message up to that point. decode compares the
// token in the body with the one that was sent. In the texts it masks this token, the
// secrets in the body, and the given secrets.
func decode(body io.Reader, limit int64, sent string, texts bool, secrets ...string) (*payload, error) {
	d := decoders.Get().(*decoder)
	d.scanner.reset(body, limit)
	p := new(payload)
	d.payload, d.sent, d.texts, d.knownFields, d.messages = p, sent, texts, 0, nil
	err := d.body()
	if err != nil {
		d.resetData()
	}
	d.maskMessages(secrets)
	p.body.Size = limit - d.left

	d.scanner.reset(nil, 0)
	d.payload, d.sent, d.messages = nil, "", nil
	decoders.Put(d)
	return p, err
}

// resetData drops the values of the session object. It keeps secrets, for the mask.
func (p *payload) resetData() {
	p.hasData, p.details, p.token, p.rotated, p.invalidToken, p.body = false, Details{}, "", false, false, Body{}
}

func (d *decoder) body() error {
	if err := d.skipBOM(); err != nil {
		return err
	}
	if c, err := d.mustPeek(); err != nil {
		return err
	} else if c != '{' {
		return errNotAnObject
	}
	if err := d.object(d.envelope); err != nil {
		return err
	}
	return d.finish()
}

// envelope reads one member of the body.
func (d *decoder) envelope(name []byte) error {
	var text *string // nil for the data
	switch string(name) {
	case "data":
	case "code":
		text = &d.code
	case "message":
		text = &d.message
	default:
		return d.skip()
	}
	if d.knownFields == maxKnownFields {
		return d.skip()
	}
	d.knownFields++
	if text != nil {
		*text = "" // an incomplete value also replaces an earlier one
	}
	first, err := d.mustPeek()
	if err != nil {
		return err
	}
	if text != nil {
		value, whole, err := d.stringField(first, maxFieldSource)
		if whole {
			*text = value
		}
		return err
	}
	d.resetData()
	d.messages = nil
	if d.hasData = first == '{'; !d.hasData {
		return d.skip()
	}
	return d.object(d.member)
}

// member reads one member of the session object.
func (d *decoder) member(name []byte) error {
	i, isID := fieldIndex(name), string(name) == "sessionId"
	if i < 0 && !isID || d.knownFields == maxKnownFields {
		return d.skip()
	}
	d.knownFields++
	first, err := d.mustPeek()
	if err != nil {
		return err
	}
	if isID {
		_, _, err = d.secret(first)
		return err
	}
	used, err := sessionFields[i].read(d, first)
	d.payload.body.record(1<<i, used, first == 'n')
	return err
}

// authToken reads the token of the session. It keeps the token if it differs from the one
// that was sent and is valid in a header.
func (d *decoder) authToken(first byte) (used bool, err error) {
	text, whole, err := d.secret(first)
	d.rotated = whole && text != "" && text != d.sent
	d.invalidToken = !whole || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' })
	d.token = ""
	if d.rotated && !d.invalidToken {
		d.token = text
	}
	return first == '"' && !d.invalidToken, err
}

// secret reads a text and adds it to the secrets.
func (d *decoder) secret(first byte) (text string, whole bool, err error) {
	text, whole, err = d.stringField(first, maxTokenSource)
	if text != "" && text != d.sent {
		d.secrets = append(d.secrets, text)
	}
	return text, whole, err
}

func (d *decoder) serviceMessages(first byte) (used bool, err error) {
	d.messages, d.messagesSeen = nil, 0
	return keep(&d.details.ServiceMessages, first, func(first byte) (*int, error) { return d.arrayField(first, d.serviceMessage) })
}

func (d *decoder) serviceMessage() error {
	if d.messagesSeen++; !d.texts || d.messagesSeen > MaxMessages {
		return d.skip()
	}
	first, err := d.mustPeek()
	if err != nil {
		return err
	}
	text, whole, err := d.stringField(first, maxMessageSource)
	d.messages = append(d.messages, rawText{text, whole})
	return err
}

// maskMessages masks the texts of service messages. It runs at the end of the body, because
// a secret can come after the messages.
func (d *decoder) maskMessages(secrets []string) {
	if !d.hasData || len(d.messages) == 0 {
		return
	}
	m := &mask{secrets: slices.Concat([]string{d.sent}, secrets, d.secrets)}
	for _, raw := range d.messages {
		text := m.apply(raw.text, raw.whole)
		if text != "" && !slices.Contains(d.details.MessageTexts, text) {
			d.details.MessageTexts = append(d.details.MessageTexts, text)
		}
	}
}
