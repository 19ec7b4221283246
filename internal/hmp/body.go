package hmp

import (
	"io"
	"slices"
	"sync"
)

// A bodyError says what is wrong with a body. It has no text of the server.
type bodyError string

func (e bodyError) Error() string { return string(e) }

const (
	errNotAnObject bodyError = "the body is not a JSON object"
	errNoData      bodyError = "the body has no data object"
	errTooLarge    bodyError = "the body is larger than max_body_size"
	errTooDeep     bodyError = "the JSON is nested too deep"
)

// A payload has the values of a body: of the session object under "data", and of an error
// envelope. If a name occurs twice, the last one counts, as in JavaScript.
type payload struct {
	hasData      bool
	rotated      bool // the authToken differs from the one sent
	invalidToken bool // the authToken is not valid in a header
	details      Details
	token        string // the authToken, if it differs from the one sent and is valid in a header

	code    string
	message string
	size    int64    // bytes read
	invalid []string // fields with a value that is not documented
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
	p.size = limit - d.left

	d.scanner.reset(nil, 0)
	d.payload, d.sent, d.messages = nil, "", nil
	decoders.Put(d)
	return p, err
}

// resetData drops the values of the session object. It keeps secrets, for the mask.
func (p *payload) resetData() {
	p.hasData, p.details, p.token, p.rotated, p.invalidToken, p.invalid = false, Details{}, "", false, false, nil
}

func (d *decoder) body() error {
	if err := d.skipBOM(); err != nil {
		return err
	}
	if d.peek() != '{' && d.pos < d.end {
		return errNotAnObject
	}
	if err := d.object(d.envelope); err != nil {
		return err
	}
	return d.finish()
}

// envelope reads one member of the body.
func (d *decoder) envelope(name []byte) error {
	var text *string
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
		value, whole, err := d.stringField(d.peek(), maxMessageSource)
		if whole {
			*text = value
		}
		return err
	}
	d.resetData()
	d.messages = nil
	if d.hasData = d.peek() == '{'; !d.hasData {
		return d.skip()
	}
	return d.object(d.member)
}

// maskMessages masks the texts of service messages. It runs at the end of the body, because
// a secret can come after the messages.
func (d *decoder) maskMessages(secrets []string) {
	if !d.hasData || len(d.messages) == 0 {
		return
	}
	m := newMask(slices.Concat([]string{d.sent}, secrets, d.secrets)...)
	for _, raw := range d.messages {
		text := m.apply(raw.text, raw.whole)
		if text != "" && !slices.Contains(d.details.MessageTexts, text) {
			d.details.MessageTexts = append(d.details.MessageTexts, text)
		}
	}
}
