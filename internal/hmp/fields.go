package hmp

import (
	"math"
	"strconv"
	"time"
)

// Fields is a set of fields of a session object.
type Fields uint8

// sessionFields are the fields that the decoder reads, in the order of the bits of [Fields].
// read reads a value that begins with first, and returns whether it used the value.
var sessionFields = []struct {
	name string
	read func(d *decoder, first byte) (used bool, err error)
}{
	{"authToken", (*decoder).authToken},
	{"admin", func(d *decoder, first byte) (bool, error) { return keep(&d.details.Admin, first, d.boolField) }},
	{"roleIds", func(d *decoder, first byte) (bool, error) { return keep(&d.details.Roles, first, d.lengthField) }},
	{"numLoginFailures", func(d *decoder, first byte) (bool, error) { return keep(&d.details.LoginFailures, first, d.countField) }},
	{"lastAction", func(d *decoder, first byte) (bool, error) { return keep(&d.details.LastAction, first, d.timeField) }},
	{"lastLoginDate", func(d *decoder, first byte) (bool, error) { return keep(&d.details.LastLogin, first, d.timeField) }},
	{"serviceMessages", (*decoder).serviceMessages},
}

// keep stores the value of a field. A zero value does not count as used.
func keep[T comparable](kept *T, first byte, read func(byte) (T, error)) (used bool, err error) {
	var zero T
	*kept, err = read(first)
	return *kept != zero, err
}

// fieldIndex returns the index of a field in [sessionFields], or -1.
func fieldIndex(name []byte) int {
	for i := range sessionFields {
		if string(name) == sessionFields[i].name {
			return i
		}
	}
	return -1
}

// Names returns the names of the fields.
func (f Fields) Names() []string {
	var names []string
	for i := range sessionFields {
		if f&(1<<i) != 0 {
			names = append(names, sessionFields[i].name)
		}
	}
	return names
}

// record records whether the last value of a field was used.
func (b *Body) record(f Fields, used, null bool) {
	b.Used, b.Null, b.Invalid = b.Used&^f, b.Null&^f, b.Invalid&^f
	switch {
	case used:
		b.Used |= f
	case null:
		b.Null |= f
	default:
		b.Invalid |= f
	}
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
func (d *decoder) timeField(first byte) (time.Time, error) {
	text, whole, err := d.stringField(first, maxFieldSource)
	if t, e := time.Parse(time.RFC3339, text); e == nil && whole && t.Unix() > 0 {
		return t, err
	}
	return time.Time{}, err
}

func (d *decoder) lengthField(first byte) (*int, error) { return d.arrayField(first, d.skip) }

// arrayField counts the elements of an array. element must read one.
func (d *decoder) arrayField(first byte, element func() error) (*int, error) {
	if first != '[' {
		return nil, d.skip()
	}
	n := 0
	if err := d.array(func() error { n++; return element() }); err != nil {
		return nil, err
	}
	return &n, nil
}
