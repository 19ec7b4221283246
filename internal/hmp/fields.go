package hmp

import (
	"math"
	"strconv"
	"time"
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

// Fields is a set of fields of a session object.
type Fields uint8

// The fields that are looked for.
const (
	authTokenField Fields = 1 << iota
	adminField
	rolesField
	loginFailuresField
	lastActionField
	lastLoginField
	messagesField
)

// fieldNames has the names, in the order of the bits.
var fieldNames = []string{"authToken", "admin", "roleIds", "numLoginFailures", "lastAction", "lastLoginDate", "serviceMessages"}

// fieldNamed returns the field of a name, and none for one that is not looked for.
func fieldNamed(name []byte) Fields {
	for i, n := range fieldNames {
		if string(name) == n {
			return 1 << i
		}
	}
	return 0
}

// Names returns the names of the fields.
func (f Fields) Names() []string {
	var names []string
	for i, name := range fieldNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// note notes how the last value of a field was taken.
func (b *Body) note(f Fields, used, null bool) {
	b.Used, b.Null, b.Odd = b.Used&^f, b.Null&^f, b.Odd&^f
	switch {
	case used:
		b.Used |= f
	case null:
		b.Null |= f
	default:
		b.Odd |= f
	}
}
