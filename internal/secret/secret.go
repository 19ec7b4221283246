// Package secret has a type for values that must not be printed: tokens, API keys and API secrets.
package secret

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// Masked is printed in place of a secret.
const Masked = "<secret>"

// A Value is a secret. Every printer writes <secret> in its place. The zero value holds
// the empty string.
type Value struct {
	// fmt does not call the methods of a value in an unexported field. With a pointer it
	// prints an address there, and not the secret.
	value *string
}

var (
	_ fmt.Formatter  = Value{}
	_ slog.LogValuer = Value{}
)

// New wraps a value.
func New(value string) Value { return Value{&value} }

// Reveal returns the secret in clear. Call it only to send the secret.
func (s Value) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether no value was given. An empty value counts as given.
func (s Value) IsZero() bool { return s.value == nil }

// Equal compares two values. The time it takes depends only on their lengths.
func (s Value) Equal(other Value) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns <secret>. The methods below do the same for other printers: fmt calls
// Format, slog calls LogValue, and JSON, YAML and go-kit call MarshalText.
func (s Value) String() string { return Masked }

// Format implements [fmt.Formatter], because %x and other verbs do not call String.
func (s Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Masked)) }

// MarshalText implements [encoding.TextMarshaler].
func (s Value) MarshalText() ([]byte, error) { return []byte(Masked), nil }

// LogValue implements [slog.LogValuer].
func (s Value) LogValue() slog.Value { return slog.StringValue(Masked) }
