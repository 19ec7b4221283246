package hmp

import (
	"io"
	"slices"
	"sync"
)

const (
	// MaxMessages is how many service messages are looked at for their texts.
	MaxMessages = 20
	// MaxMessageLength bounds the text of a service message, in characters.
	MaxMessageLength = 200
	// maxMessageSize bounds it in bytes too: twenty texts of emoji must not be larger
	// than all other metrics of a session.
	maxMessageSize = 2 * MaxMessageLength

	// A character takes at most twelve bytes of JSON source: two \u escapes.
	maxMessageSource = 12 * MaxMessageLength
	maxTokenSource   = 8 << 10
	maxFieldSource   = 256
	maxNumberSource  = 64

	// maxKnown is how many known fields are read of a body that repeats them.
	// A session has eleven.
	maxKnown = 256
)

const (
	errNotAnObject formError = "the body is not a JSON object"
	errNoData      formError = "the body has no data object"
)

// A payload is what is kept of a body: of the session object under "data", and of
// an error envelope. If a name occurs twice, the last one counts, as it does
// for the JavaScript clients that HMP was made for.
type payload struct {
	hasData bool
	details Details
	token   string // the authToken, if it differs from the one sent and is fit for a Bearer
	rotated bool   // there was another, fit or not
	unfit   bool   // there was one that is not fit

	code    string
	message string
	body    Body
	found   []string // secrets in the body, perhaps only their beginning
}

// A decoder reads one body; afterwards it serves for others.
type decoder struct {
	scanner
	payload
	sent  string // the authToken that was sent
	texts bool   // whether to keep the texts of service messages
	seen  int    // elements of serviceMessages so far
	known int    // known fields so far
	raw   []rawText
}

// A rawText is a service message that may still hold secrets.
type rawText struct {
	text string
	cut  bool
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decode reads a body of at most limit bytes to its end. If the body is broken or too
// large, decode returns what the body told of an error until then. The decoder needs
// the token that was sent to see whether the answer carries another. It masks that
// token, what it finds in the body, and the given secrets in the texts it keeps.
func decode(body io.Reader, limit int64, sent string, texts bool, secrets ...string) (payload, error) {
	d := decoders.Get().(*decoder)
	d.scanner.reset(body, limit)
	d.payload, d.sent, d.texts, d.known = payload{}, sent, texts, 0
	err := d.body()
	d.presentMessages(secrets)
	p := d.payload
	p.body.Size = limit - d.left

	d.scanner.reset(nil, 0)
	d.payload, d.sent, d.raw = payload{}, "", nil
	decoders.Put(d)
	if err != nil {
		return payload{code: p.code, message: p.message, body: Body{Size: p.body.Size}, found: p.found}, err
	}
	return p, nil
}

func (d *decoder) body() error {
	if err := d.skipMark(); err != nil {
		return err
	}
	c, err := d.head()
	if err != nil {
		return err
	}
	if c != '{' {
		return errNotAnObject
	}
	if err := d.object(d.envelope); err != nil {
		return err
	}
	return d.finish()
}

// envelope reads a member of the body.
func (d *decoder) envelope(name []byte) (err error) {
	if d.known == maxKnown {
		return d.skip()
	}
	d.known++
	switch string(name) {
	case "data":
		d.payload = payload{code: d.code, message: d.message, found: d.found}
		d.raw = nil
		d.hasData, err = d.ifBegins('{', func() error { return d.object(d.data) })
	case "code":
		d.code, err = d.stringField(maxFieldSource)
	case "message":
		d.message, err = d.stringField(maxFieldSource)
	default:
		d.known--
		err = d.skip()
	}
	return err
}

// data reads a member of the session object.
func (d *decoder) data(name []byte) (err error) {
	field := fieldNamed(name)
	isID := string(name) == "sessionId"
	if field == 0 && !isID || d.known == maxKnown {
		return d.skip()
	}
	d.known++
	if isID {
		_, _, err = d.secret()
		return err
	}
	first, err := d.head()
	if err != nil {
		return err
	}
	used, err := d.member(field, first)
	d.payload.body.note(field, used, first == 'n')
	return err
}

// member reads the value of a known field, which begins with first, and tells whether
// it was used.
func (d *decoder) member(f Fields, first byte) (used bool, err error) {
	details := &d.details
	switch f {
	case authTokenField:
		err = d.authToken()
		used = first == '"' && !d.unfit
	case adminField:
		details.Admin, err = d.boolField()
		used = details.Admin != nil
	case rolesField:
		details.Roles, err = d.arrayField(d.skip)
		used = details.Roles != nil
	case loginFailuresField:
		details.LoginFailures, err = d.countField()
		used = details.LoginFailures != nil
	case lastActionField:
		details.LastAction, err = d.timeField()
		used = !details.LastAction.IsZero()
	case lastLoginField:
		details.LastLogin, err = d.timeField()
		used = !details.LastLogin.IsZero()
	case messagesField:
		d.raw, d.seen = nil, 0
		details.ServiceMessages, err = d.arrayField(d.serviceMessage)
		used = details.ServiceMessages != nil
		if !used {
			d.raw = nil
		}
	}
	return used, err
}

// authToken reads the token of the session. It keeps one that can be the next
// Bearer: another than was sent, of bytes that a header may hold.
func (d *decoder) authToken() error {
	d.token, d.rotated, d.unfit = "", false, false
	text, whole, err := d.secret()
	if text == "" && whole || err != nil {
		return err
	}
	d.rotated = whole && text != d.sent
	d.unfit = !whole || !visible(text)
	if d.rotated && !d.unfit {
		d.token = text
	}
	return nil
}

// secret reads a value that must not be shown. It returns "" for what is not a string.
func (d *decoder) secret() (text string, whole bool, err error) {
	whole = true
	_, err = d.ifBegins('"', func() error {
		var b []byte
		b, whole, err = d.text(maxTokenSource)
		if text = string(b); text != "" && text != d.sent {
			d.found = append(d.found, text)
		}
		return err
	})
	return text, whole, err
}

// visible tells whether text is of visible ASCII characters only.
func visible(text string) bool {
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

func (d *decoder) serviceMessage() error {
	if d.seen++; !d.texts || d.seen > MaxMessages {
		return d.skip()
	}
	_, err := d.ifBegins('"', func() error {
		text, whole, err := d.text(maxMessageSource)
		d.raw = append(d.raw, rawText{string(text), !whole})
		return err
	})
	return err
}

// presentMessages masks the texts that came and shortens them. It does so at the end of
// the body, because a secret can come after the messages, and it masks first, because a
// text that was shortened first would keep the beginning of a secret.
func (d *decoder) presentMessages(secrets []string) {
	if !d.hasData || len(d.raw) == 0 {
		return
	}
	m := newMask(append(append([]string{d.sent}, secrets...), d.found...)...)
	for _, raw := range d.raw {
		text := presentable(m.apply(raw.text, raw.cut))
		if text != "" && !slices.Contains(d.details.MessageTexts, text) {
			d.details.MessageTexts = append(d.details.MessageTexts, text)
		}
	}
}
