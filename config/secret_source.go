package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"hmp_exporter/internal/secret"

	"golang.org/x/net/http/httpguts"
)

// What can be wrong with a secret, beside its file. The texts follow the name of
// the field or the file.
var (
	ErrSecretEmpty      = errors.New("is empty")
	ErrSecretLines      = errors.New("has more than one line")
	ErrSecretBearer     = errors.New("begins with the word Bearer")
	ErrSecretSpace      = errors.New("has white space in it")
	ErrVariable         = errors.New("is the name of a variable, and variables are not expanded")
	ErrSecretCharacters = errors.New("has characters that cannot stand in it")
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

// A secretKind says what a secret is fit for.
type secretKind int

const (
	isKey    secretKind = iota // an API key or secret, which goes into JSON
	isToken                    // goes into a header, after the word Bearer
	isHeader                   // the value of a header; it can have spaces in it
	isPEM                      // a certificate or key, which is checked elsewhere
)

// IsZero reports whether there is no secret.
func (s SecretSource) IsZero() bool { return s.name == "" }

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

// Read returns the secret, and reads its file for that on every call. White space at
// both ends of the file is dropped. Read returns [ErrSlowFile] if ctx ends before the
// file is read. An error wraps what the operating system said or one of the Err values,
// and names the source and never the content.
func (s SecretSource) Read(ctx context.Context) (secret.Value, error) {
	value, err := s.read(ctx)
	if err != nil {
		return secret.Value{}, fmt.Errorf("%s: %w", s, err)
	}
	return value, nil
}

// read is Read with errors that do not name the source.
func (s SecretSource) read(ctx context.Context) (secret.Value, error) {
	value := s.value
	if s.file != "" {
		data, err := readFile(ctx, s.file, maxSecretFile)
		if err != nil {
			return secret.Value{}, err
		}
		value = secret.New(strings.TrimSpace(string(data)))
	}
	if err := checkSecret(value.Reveal(), s.kind); err != nil {
		return secret.Value{}, err
	}
	return value, nil
}

// problem completes an error about the source with what read returned.
func (s SecretSource) problem(at *Error, err error) *Error {
	e := at.with(s.file+": "+err.Error(), s.hint(err))
	e.cause = err
	return e
}

// variableName matches what people write who expect a shell to fill it in.
var variableName = regexp.MustCompile(`^\$(\w+|\{\w+\}|\(\w+\))$`)

// checkSecret finds what would otherwise come back as an HTTP error or as a login
// that is refused.
func checkSecret(value string, kind secretKind) error {
	word, _, _ := strings.Cut(value, " ")
	isBad := func(r rune) bool { return !unicode.IsPrint(r) || kind == isToken && r > '~' }
	switch {
	case kind == isPEM:
		return nil
	case value == "":
		return ErrSecretEmpty
	case kind == isHeader && !httpguts.ValidHeaderFieldValue(value):
		return ErrSecretCharacters
	case kind == isHeader:
		return nil
	case strings.ContainsAny(value, "\r\n"):
		return ErrSecretLines
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

// hint says what a person can do about an error of read.
func (s SecretSource) hint(err error) string {
	switch {
	case s.variable && errors.Is(err, fs.ErrNotExist):
		return "a relative path is relative to the directory that hmp_exporter was started in"
	case errors.Is(err, ErrSecretEmpty):
		return "write the secret into it, and nothing else"
	case errors.Is(err, ErrSecretLines), errors.Is(err, ErrSecretCharacters) && s.kind == isHeader:
		return "it is one line and nothing else"
	case errors.Is(err, ErrSecretSpace):
		return "a secret is one word; look for spaces and tabs, and for two secrets in one place"
	case errors.Is(err, ErrVariable):
		return "name a file, or use the HMP_ variables without a configuration file"
	case errors.Is(err, ErrSecretBearer):
		return "leave out the word Bearer"
	case errors.Is(err, ErrSecretCharacters) && s.kind == isToken:
		return "a token is visible ASCII; look for curly quotes and a byte order mark"
	case errors.Is(err, ErrSecretCharacters):
		return "look for control characters and a byte order mark"
	default:
		return fileHint(err)
	}
}
