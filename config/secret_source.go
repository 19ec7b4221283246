package config

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"hmp_exporter/internal/secret"
)

// Problems of a secret's content.
var (
	errEmpty         error = &hintedError{"is empty", "write the secret into it, and nothing else"}
	errVariable      error = &hintedError{"is the name of a variable, and variables are not expanded", "name a file, or use the HMP_ variables without a configuration file"}
	errLines         error = &hintedError{"has more than one line", "it is one line and nothing else"}
	errSpace         error = &hintedError{"has white space in it", "a secret is one word, without Bearer in front"}
	errCharacters    error = &hintedError{"has invalid characters", "look for line breaks, control characters, curly quotes, accents and a byte order mark"}
	errNoCertificate error = &hintedError{"has no certificate in it", "it begins with -----BEGIN CERTIFICATE-----"}
)

// SecretSource is the source of one secret: the configuration itself, a file, or the
// environment. The zero value is no secret.
type SecretSource struct {
	name  string // the field or the variable: token_file, HMP_API_KEY
	file  string // read for every probe; "" if the secret is in value
	value secret.Value
	kind  secretKind
}

// A secretKind is the use of a secret, which decides its valid characters.
type secretKind int

const (
	kindKey    secretKind = iota // an API key or its secret, sent as JSON
	kindToken                    // sent in a header after the word Bearer
	kindHeader                   // the value of a header
	kindPEM                      // a certificate or key; crypto/tls checks what is in it
)

// IsZero reports whether there is no secret.
func (s SecretSource) IsZero() bool { return s.name == "" }

// InFile reports whether the secret is read from a file.
func (s SecretSource) InFile() bool { return s.file != "" }

// String returns where the secret comes from. It has no secret.
func (s SecretSource) String() string {
	switch {
	case s.IsZero():
		return "none"
	case s.file != "":
		return s.name + " " + s.file
	case strings.HasPrefix(s.name, "HMP_"):
		return "environment variable " + s.name
	default:
		return s.name + " in the configuration"
	}
}

// Read returns the secret without white space at both ends. It reads the file on every call.
// An error has the source and never the content, and wraps an error of the operating system
// if there is one. If ctx ends first, Read returns an error.
func (s SecretSource) Read(ctx context.Context) (secret.Value, error) {
	value, err := s.read(ctx)
	if err != nil {
		return secret.Value{}, fmt.Errorf("%s: %w", s, err)
	}
	return value, nil
}

// read is Read with errors that do not have the source.
func (s SecretSource) read(ctx context.Context) (secret.Value, error) {
	if s.file == "" {
		return s.value, nil // Load has checked it
	}
	return s.parse(files.readFile(ctx, s.file, maxSecretFile))
}

// parse returns the secret in a file. It takes what reading the file returned.
func (s SecretSource) parse(data []byte, err error) (secret.Value, error) {
	value := strings.TrimSpace(string(data))
	if err == nil {
		err = checkSecret(value, s.kind)
	}
	if err != nil {
		return secret.Value{}, err
	}
	return secret.New(value), nil
}

// problem adds an error of read to an error with a position.
func (s SecretSource) problem(at Error, err error) *Error {
	if s.file == "" {
		return at.with(err.Error(), hintFor(err))
	}
	return at.with(s.file+": "+err.Error(), hintFor(err))
}

// variableName matches a shell variable, such as $TOKEN.
var variableName = regexp.MustCompile(`^\$(\w+|\{\w+\}|\(\w+\))$`)

// checkSecret returns an error for a value that HTTP or HMP would refuse.
func checkSecret(value string, kind secretKind) error {
	isBad := func(r rune) bool { return !unicode.IsPrint(r) || kind == kindToken && r > '~' }
	switch {
	case kind == kindPEM:
	case value == "":
		return errEmpty
	case kind == kindHeader:
		if !httpguts.ValidHeaderFieldValue(value) {
			return errCharacters
		}
	case strings.ContainsAny(value, "\r\n"):
		return errLines
	case variableName.MatchString(value):
		return errVariable
	case strings.ContainsFunc(value, unicode.IsSpace):
		return errSpace
	case !utf8.ValidString(value) || strings.ContainsFunc(value, isBad):
		return errCharacters
	}
	return nil
}
