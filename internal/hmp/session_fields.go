package hmp

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxMessages is the maximum number of service messages whose texts are kept.
	MaxMessages = 20
	// MaxMessageLength bounds the text of a service message, in characters.
	MaxMessageLength = 200

	// A character takes at most twelve bytes of JSON source: two \u escapes.
	maxMessageSource = 12 * MaxMessageLength
	maxTokenSource   = 8 << 10
	maxFieldSource   = 256
	maxNumberSource  = 64

	// maxKnownFields bounds the known fields that are read if a body repeats them. A session
	// has eleven.
	maxKnownFields = 256
)

// member reads one member of the session object.
func (d *decoder) member(name []byte) error {
	i := slices.IndexFunc(sessionFields, func(f sessionField) bool { return f.name == string(name) })
	if i < 0 || d.knownFields == maxKnownFields {
		return d.skip()
	}
	d.knownFields++
	f, first := &sessionFields[i], d.peek()
	valid, err := f.read(d, first)
	d.invalid = slices.DeleteFunc(d.invalid, func(name string) bool { return name == f.name })
	if !valid && first != 'n' {
		d.invalid = append(d.invalid, f.name)
	}
	return err
}

// A sessionField is a field of the session object that the decoder reads. read reads a value
// that begins with first, and returns whether the value is as documented.
type sessionField struct {
	name string
	read func(d *decoder, first byte) (valid bool, err error)
}

var sessionFields = []sessionField{
	{"authToken", (*decoder).authToken},
	{"sessionId", (*decoder).sessionID},
	{"admin", func(d *decoder, first byte) (bool, error) { return setField(&d.details.Admin, first, d.boolField) }},
	{"roleIds", func(d *decoder, first byte) (bool, error) { return setField(&d.details.Roles, first, d.lengthField) }},
	{"numLoginFailures", func(d *decoder, first byte) (bool, error) {
		return setField(&d.details.LoginFailures, first, d.countField)
	}},
	{"lastAction", func(d *decoder, first byte) (bool, error) { return setField(&d.details.LastAction, first, d.timeField) }},
	{"lastLoginDate", func(d *decoder, first byte) (bool, error) { return setField(&d.details.LastLogin, first, d.timeField) }},
	{"serviceMessages", (*decoder).serviceMessages},
}

// setField sets a field to the value that read returns. A zero value is not valid.
func setField[T comparable](field *T, first byte, read func(byte) (T, error)) (valid bool, err error) {
	var zero T
	*field, err = read(first)
	return *field != zero, err
}

// authToken reads the token of the session. It keeps the token if it differs from the one
// that was sent and is valid in a header.
func (d *decoder) authToken(first byte) (valid bool, err error) {
	text, whole, err := d.secret(first)
	d.rotated = whole && text != "" && text != d.sent
	d.invalidToken = !whole || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' })
	d.token = ""
	if d.rotated && !d.invalidToken {
		d.token = text
	}
	return first == '"' && !d.invalidToken, err
}

// sessionID reads the ID of the session, only to mask it.
func (d *decoder) sessionID(first byte) (valid bool, err error) {
	_, _, err = d.secret(first)
	return true, err
}

// secret reads a text and adds it to the secrets.
func (d *decoder) secret(first byte) (text string, whole bool, err error) {
	text, whole, err = d.stringField(first, maxTokenSource)
	if text != "" && text != d.sent {
		d.secrets = append(d.secrets, text)
	}
	return text, whole, err
}

func (d *decoder) serviceMessages(first byte) (valid bool, err error) {
	d.messages, d.messagesSeen = nil, 0
	return setField(&d.details.ServiceMessages, first, func(first byte) (*int, error) { return d.arrayField(first, d.serviceMessage) })
}

func (d *decoder) serviceMessage() error {
	if d.messagesSeen++; !d.texts || d.messagesSeen > MaxMessages {
		return d.skip()
	}
	text, whole, err := d.stringField(d.peek(), maxMessageSource)
	d.messages = append(d.messages, rawText{text, whole})
	return err
}

// The functions below read a value that begins with first. They return zero if it does not
// have their type or range.

// stringField returns the beginning of a text that is too long, and whole is false.
func (d *decoder) stringField(first byte, limit int) (text string, whole bool, err error) {
	if first != '"' {
		return "", true, d.skip()
	}
	b, whole, err := d.text(limit)
	return string(b), whole, err
}

func (d *decoder) boolField(first byte) (*bool, error) {
	if first != 't' && first != 'f' {
		return nil, d.skip()
	}
	return new(first == 't'), d.skip()
}

func (d *decoder) countField(first byte) (*float64, error) {
	if first < '0' || first > '9' {
		return nil, d.skip()
	}
	source, whole, err := d.source(maxNumberSource)
	if err != nil || !whole {
		return nil, err
	}
	n, _ := strconv.ParseFloat(string(source), 64)
	if math.IsInf(n, 0) {
		return nil, nil
	}
	return &n, nil
}

// timeField accepts a time after 1970.
func (d *decoder) timeField(first byte) (t time.Time, err error) {
	if first != '"' {
		return t, d.skip()
	}
	text, whole, err := d.text(maxFieldSource)
	if t.UnmarshalText(text) != nil || !whole || t.Unix() <= 0 {
		return time.Time{}, err
	}
	return t, err
}

func (d *decoder) lengthField(first byte) (*int, error) { return d.arrayField(first, d.skip) }

// arrayField counts the elements of an array. element must read one.
func (d *decoder) arrayField(first byte, element func() error) (*int, error) {
	if first != '[' {
		return nil, d.skip()
	}
	n := 0
	if err := d.list('[', ']', func() error { n++; return element() }); err != nil {
		return nil, err
	}
	return &n, nil
}
