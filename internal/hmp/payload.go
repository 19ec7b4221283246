package hmp

import (
	"io"
	"sync"
)

const (
	// MaxMessages is how many service messages are looked at for their texts.
	MaxMessages = 20
	// MaxMessageLength bounds the text of a service message, in characters.
	MaxMessageLength = 200
	// maxMessageSize bounds it too, in bytes, so that emoji do not make twenty of them
	// larger than all other metrics of a session.
	maxMessageSize = 2 * MaxMessageLength

	// A character takes at most twelve bytes of JSON source: two \u escapes.
	maxMessageSource = 12 * MaxMessageLength
	maxTokenSource   = 8 << 10
	maxFieldSource   = 256
	maxNumberSource  = 64

	// maxKnown is how many of the fields that are looked for are taken in, of a body
	// that repeats them. A session has eleven.
	maxKnown = 256
)

const (
	errNotAnObject formError = "the body is not a JSON object"
	errNoData      formError = "the body has no data object"
)

// A payload is what is kept of a body: of the session object under "data", and of
// an error envelope. Of a name that occurs twice the last one counts, as it does
// for the JavaScript clients that HMP was made for.
type payload struct {
	hasData bool
	details Details
	token   string // the authToken, if another than was sent and fit for a Bearer
	rotated bool   // there was another, fit or not
	unfit   bool   // there was one that is not fit

	code    string
	message string
	body    Body
}

// A decoder reads one body; afterwards it serves for others.
type decoder struct {
	scanner
	payload
	sent  string // the authToken that was sent
	texts bool   // whether to keep the texts of service messages
	seen  int    // elements of serviceMessages so far
	known int    // fields that are looked for, so far

	sessionID string // a secret, to be kept out of texts
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decode reads a body of at most limit bytes to its end. Of one that is broken, or
// goes on, it returns what it told of an error until then. It needs the token that
// was sent in order to tell whether the answer carries another, and to keep it out of
// texts.
func decode(body io.Reader, limit int64, sent string, texts bool) (payload, error) {
	d := decoders.Get().(*decoder)
	d.scanner.reset(body, limit)
	d.payload, d.sent, d.sessionID, d.texts, d.known = payload{}, sent, "", texts, 0
	err := d.body()
	d.presentMessages()
	p := d.payload
	p.body.Size = limit - d.left

	d.scanner.reset(nil, 0)
	d.payload, d.sent, d.sessionID = payload{}, "", ""
	decoders.Put(d)
	if err != nil {
		return payload{code: p.code, message: p.message, body: Body{Size: p.body.Size}}, err
	}
	return p, nil
}

func (d *decoder) body() error {
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

// envelope takes a member of the body.
func (d *decoder) envelope(name []byte) (err error) {
	if d.known == maxKnown {
		return d.skip()
	}
	d.known++
	switch string(name) {
	case "data":
		d.payload = payload{code: d.code, message: d.message}
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

// data takes a member of the session object.
func (d *decoder) data(name []byte) (err error) {
	field := fieldNamed(name)
	isID := string(name) == "sessionId"
	if field == 0 && !isID || d.known == maxKnown {
		return d.skip()
	}
	d.known++
	if isID {
		d.sessionID, err = d.stringField(maxTokenSource)
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

// member takes the value of a known field, which begins with first, and tells whether
// it was of use.
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
		details.MessageTexts, d.seen = nil, 0
		details.ServiceMessages, err = d.arrayField(d.serviceMessage)
		used = details.ServiceMessages != nil
	}
	return used, err
}
