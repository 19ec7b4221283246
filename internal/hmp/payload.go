package hmp

import (
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
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

	// maxKnown is how many of the fields that are looked for are taken in, of a body
	// that repeats them. A session has ten.
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
}

// A decoder reads one body; afterwards it serves for others.
type decoder struct {
	scanner
	payload
	sent  string // the authToken that was sent
	texts bool   // whether to keep the texts of service messages
	seen  int    // elements of serviceMessages so far
	known int    // fields that are looked for, so far
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decode reads a body of at most limit bytes to its end. Of one that is broken, or
// goes on, it returns what it told of an error until then. It needs the token that
// was sent in order to tell whether the answer carries another, and to keep it out of
// texts.
func decode(body io.Reader, limit int64, sent string, texts bool) (payload, error) {
	d := decoders.Get().(*decoder)
	d.scanner.reset(body, limit)
	d.payload, d.sent, d.texts, d.known = payload{}, sent, texts, 0
	err := d.body()
	p := d.payload

	d.scanner.reset(nil, 0)
	d.payload, d.sent = payload{}, ""
	decoders.Put(d)
	if err != nil {
		return payload{code: p.code, message: p.message}, err
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
	if d.known == maxKnown {
		return d.skip()
	}
	d.known++
	switch string(name) {
	case "authToken":
		err = d.authToken()
	case "admin":
		d.details.Admin, err = d.boolField()
	case "roleIds":
		d.details.Roles, err = d.arrayField(d.skip)
	case "numLoginFailures":
		d.details.LoginFailures, err = d.countField()
	case "lastAction":
		d.details.LastAction, err = d.timeField()
	case "lastLoginDate":
		d.details.LastLogin, err = d.timeField()
	case "serviceMessages":
		d.details.MessageTexts, d.seen = nil, 0
		d.details.ServiceMessages, err = d.arrayField(d.serviceMessage)
	default:
		d.known--
		err = d.skip()
	}
	return err
}

// ifBegins passes the next value: by pass if it begins with c, and reports whether it did.
func (d *decoder) ifBegins(c byte, pass func() error) (bool, error) {
	got, err := d.head()
	if err != nil {
		return false, err
	}
	if got != c {
		return false, d.skip()
	}
	return true, pass()
}

// stringField returns "" for what is not a string, or too long for one.
func (d *decoder) stringField(limit int) (field string, err error) {
	_, err = d.ifBegins('"', func() error {
		text, whole, err := d.text(limit)
		if whole {
			field = string(text)
		}
		return err
	})
	return field, err
}

func (d *decoder) boolField() (field *bool, err error) {
	c, err := d.head()
	if err != nil {
		return nil, err
	}
	if c == 't' || c == 'f' {
		field = new(c == 't')
	}
	return field, d.skip()
}

// countField returns nil for what is not a number from zero up.
func (d *decoder) countField() (*float64, error) {
	c, err := d.head()
	if err != nil {
		return nil, err
	}
	if !isDigit(c) {
		return nil, d.skip()
	}
	source, whole, err := d.number()
	if err != nil || !whole {
		return nil, err
	}
	// An overflow comes with an infinity.
	n, _ := strconv.ParseFloat(string(source), 64)
	if math.IsInf(n, 0) {
		return nil, nil
	}
	return &n, nil
}

// timeField returns the zero time for what is not a time after 1970.
func (d *decoder) timeField() (time.Time, error) {
	field, err := d.stringField(maxFieldSource)
	if err != nil {
		return time.Time{}, err
	}
	if t, err := time.Parse(time.RFC3339, field); err == nil && t.Unix() > 0 {
		return t, nil
	}
	return time.Time{}, nil
}

// arrayField counts the elements of an array; element has to pass one.
// It returns nil for what is not an array.
func (d *decoder) arrayField(element func() error) (*int, error) {
	n := 0
	isArray, err := d.ifBegins('[', func() error {
		return d.array(func() error {
			n++
			return element()
		})
	})
	if !isArray || err != nil {
		return nil, err
	}
	return &n, nil
}

func (d *decoder) serviceMessage() error {
	if d.seen++; !d.texts || d.seen > MaxMessages {
		return d.skip()
	}
	_, err := d.ifBegins('"', func() error {
		text, _, err := d.text(maxMessageSource)
		if m := presentable(mask(string(text), d.sent)); m != "" && !slices.Contains(d.details.MessageTexts, m) {
			d.details.MessageTexts = append(d.details.MessageTexts, m)
		}
		return err
	})
	return err
}

// presentable makes a text of at most [MaxMessageLength] characters, and twice as
// many bytes, out of whatever the far side wrote: valid UTF-8, with a space for every
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
