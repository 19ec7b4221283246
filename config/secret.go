package config

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
	"strconv"
)

// masked stands for a secret wherever one is printed.
const masked = "<secret>"

// Secret is a value that must not be seen: it prints as <secret> in every way
// there is to print it. The zero value holds the empty string.
type Secret struct {
	// A pointer, because fmt does not call the methods of a value in an unexported
	// field: what it finds there by reflection is then an address and not the secret.
	value *string
}

var (
	_ fmt.Formatter  = Secret{}
	_ slog.LogValuer = Secret{}
)

// NewSecret wraps a value.
func NewSecret(value string) Secret { return Secret{&value} }

// Reveal returns the value, for the place that sends it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether no value was ever given; an empty one counts as given.
func (s Secret) IsZero() bool { return s.value == nil }

// Equal compares two values in a time that depends on their lengths only.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns <secret>, as all methods below do in the form of their encoding.
// There are so many because each printer asks for another one: fmt for Format, go-kit
// for MarshalText or String, slog for LogValue.
func (s Secret) String() string { return masked }

// GoString implements [fmt.GoStringer].
func (s Secret) GoString() string { return masked }

// Format implements [fmt.Formatter], for %x and the other verbs that pass String by.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(masked)) }

// MarshalYAML implements the Marshaler of yaml.
func (s Secret) MarshalYAML() (any, error) { return masked, nil }

// MarshalJSON implements [encoding/json.Marshaler].
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(strconv.Quote(masked)), nil }

// MarshalText implements [encoding.TextMarshaler].
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(masked) }
