// Package secret has the type of values that must not be seen: tokens, API keys and their secrets.
package secret

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
	"strconv"
)

// Masked stands for a secret wherever one is printed.
const Masked = "<secret>"

// A Value is one that must not be seen: it prints as <secret> in every way
// there is to print it. The zero value holds the empty string.
type Value struct {
	// A pointer, because fmt does not call the methods of a value in an unexported
	// field: what it finds there by reflection is then an address and not the secret.
	value *string
}

var (
	_ fmt.Formatter  = Value{}
	_ slog.LogValuer = Value{}
)

// New wraps a value.
func New(value string) Value { return Value{&value} }

// Reveal returns the value, for the place that sends it.
func (s Value) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether no value was ever given; an empty one counts as given.
func (s Value) IsZero() bool { return s.value == nil }

// Equal compares two values in a time that depends on their lengths only.
func (s Value) Equal(other Value) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns <secret>, as all methods below do in the form of their encoding.
// There are so many because each printer asks for another one: fmt for Format, go-kit
// for MarshalText or String, slog for LogValue.
func (s Value) String() string { return Masked }

// GoString implements [fmt.GoStringer].
func (s Value) GoString() string { return Masked }

// Format implements [fmt.Formatter], for %x and the other verbs that pass String by.
func (s Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Masked)) }

// MarshalYAML implements the Marshaler of yaml.
func (s Value) MarshalYAML() (any, error) { return Masked, nil }

// MarshalJSON implements [encoding/json.Marshaler].
func (s Value) MarshalJSON() ([]byte, error) { return []byte(strconv.Quote(Masked)), nil }

// MarshalText implements [encoding.TextMarshaler].
func (s Value) MarshalText() ([]byte, error) { return []byte(Masked), nil }

// LogValue implements [slog.LogValuer].
func (s Value) LogValue() slog.Value { return slog.StringValue(Masked) }
