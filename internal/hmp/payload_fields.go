package hmp

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

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
	if c < '0' || c > '9' {
		return nil, d.skip()
	}
	source, whole, err := d.source(maxNumberSource)
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
		d.details.MessageTexts = append(d.details.MessageTexts, string(text))
		return err
	})
	return err
}

// presentMessages makes texts to show of those that came, without the secrets of the
// session. It wants the whole body: a secret can stand behind the messages, and of a
// text that had been cut before, the beginning of one would stay.
func (d *decoder) presentMessages() {
	var texts []string
	for _, text := range d.details.MessageTexts {
		m := presentable(mask(text, d.sent, d.token, d.sessionID))
		if m != "" && !slices.Contains(texts, m) {
			texts = append(texts, m)
		}
	}
	d.details.MessageTexts = texts
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
