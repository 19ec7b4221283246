package config

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"hmp_exporter/internal/secret"
)

// What can be wrong with a secret, beside its file.
var (
	ErrSecretEmpty      error = &hintedError{"is empty", "write the secret into it, and nothing else"}
	ErrSecretLines      error = &hintedError{"has more than one line", "it is one line and nothing else"}
	ErrSecretBearer     error = &hintedError{"begins with the word Bearer", "leave out the word Bearer"}
	ErrSecretSpace      error = &hintedError{"has white space in it", "a secret is one word; look for spaces and tabs, and for two secrets in one place"}
	ErrVariable         error = &hintedError{"is the name of a variable, and variables are not expanded", "name a file, or use the HMP_ variables without a configuration file"}
	errNotPEM           error = &hintedError{"is not PEM", "it begins with -----BEGIN"}
	errNoCertificate    error = &hintedError{"has no certificate in it", "it begins with -----BEGIN CERTIFICATE-----"}
	ErrSecretCharacters error = &hintedError{"has characters that cannot stand in it", "look for curly quotes, accents, control characters and a byte order mark"}
)

// SecretSource says where one secret comes from: the configuration itself, a
// file, or the environment. The zero value is no secret at all.
type SecretSource struct {
	name     string // as the person knows it: token_file, HMP_API_KEY
	file     string // read anew every time; "" if the value is here
	value    secret.Value
	variable bool // the name is that of an environment variable
	kind     secretKind
}

// A secretKind says what a secret must be fit for.
type secretKind int

const (
	isKey    secretKind = iota // an API key or its secret, which go into JSON
	isToken                    // goes into a header, after the word Bearer
	isHeader                   // the value of a header
	isPEM                      // a certificate or key; crypto/tls checks what is in it
)

// IsZero reports whether there is no secret.
func (s SecretSource) IsZero() bool { return s.name == "" }

// InFile reports whether the secret is read from a file.
func (s SecretSource) InFile() bool { return s.file != "" }

// String says where the secret comes from and never what it is.
func (s SecretSource) String() string {
	switch {
	case s.IsZero():
		return "none"
	case s.file != "":
		return s.name + " " + s.file
	case s.variable:
		return "environment variable " + s.name
	default:
		return s.name + " in the configuration"
	}
}

// Read returns the secret, and reads its file on every call, without the white space at
// both ends. An error wraps what the operating system said or one of the Err values, which
// is [ErrSlowFile] if ctx ends first. It names the source and never the content.
func (s SecretSource) Read(ctx context.Context) (secret.Value, error) {
	value, err := s.read(ctx)
	if err != nil {
		return secret.Value{}, fmt.Errorf("%s: %w", s, err)
	}
	return value, nil
}

// read is Read with errors that do not name the source.
func (s SecretSource) read(ctx context.Context) (secret.Value, error) {
	if s.file == "" {
		return s.value, nil // it was checked by Load
	}
	data, err := readFile(ctx, s.file, maxSecretFile)
	if err != nil {
		return secret.Value{}, err
	}
	value := strings.TrimSpace(string(data))
	if err := checkSecret(value, s.kind); err != nil {
		return secret.Value{}, err
	}
	return secret.New(value), nil
}

// problem completes an error about the source's file with what read returned.
func (s SecretSource) problem(at Error, err error) *Error {
	hint := hintFor(err)
	if s.file == "" {
		return at.with(err.Error(), hint)
	}
	if s.variable && errors.Is(err, fs.ErrNotExist) {
		hint = "a relative path is relative to the directory that hmp_exporter was started in"
	}
	return at.with(s.file+": "+err.Error(), hint)
}

// variableName matches what people write who expect a shell to fill it in.
var variableName = regexp.MustCompile(`^\$(\w+|\{\w+\}|\(\w+\))$`)

// checkSecret finds what would otherwise come back as an HTTP error or as a login
// that is refused.
func checkSecret(value string, kind secretKind) error {
	isBad := func(r rune) bool { return !unicode.IsPrint(r) || kind == isToken && r > '~' }
	word, _, _ := strings.Cut(value, " ")
	switch {
	case kind == isPEM:
		if block, _ := pem.Decode([]byte(value)); block == nil {
			return errNotPEM
		}
		return nil
	case kind == isHeader && value != "" && httpguts.ValidHeaderFieldValue(value):
		return nil
	case value == "":
		return ErrSecretEmpty
	case strings.ContainsAny(value, "\r\n"):
		return ErrSecretLines
	case kind == isHeader:
		return ErrSecretCharacters
	case variableName.MatchString(value):
		return ErrVariable
	case kind == isToken && strings.EqualFold(word, "Bearer"):
		return ErrSecretBearer
	case strings.ContainsFunc(value, unicode.IsSpace):
		return ErrSecretSpace
	case !utf8.ValidString(value) || strings.ContainsFunc(value, isBad):
		return ErrSecretCharacters
	}
	return nil
}
