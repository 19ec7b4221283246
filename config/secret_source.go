package config

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	promconfig "github.com/prometheus/common/config"
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
		err = s.kind.check(value)
	}
	if err != nil {
		return secret.Value{}, err
	}
	return secret.New(value), nil
}

// problem returns the problem of a field whose secret has an error of read.
func (s SecretSource) problem(p position, err error) *Error {
	text := err.Error()
	if s.file != "" {
		text = s.file + ": " + text
	}
	return p.error(text, hintFor(err))
}

// variableName matches a shell variable, such as $TOKEN.
var variableName = regexp.MustCompile(`^\$(\w+|\{\w+\}|\(\w+\))$`)

// check returns an error for a value that HTTP or HMP would refuse.
func (k secretKind) check(value string) error {
	isBad := func(r rune) bool { return !unicode.IsPrint(r) || k == kindToken && r > '~' }
	switch {
	case k == kindPEM:
	case value == "":
		return errEmpty
	case k == kindHeader:
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

// newSecret returns zero for no text.
func newSecret(text string) (value secret.Value) {
	if text != "" {
		value = secret.New(text)
	}
	return value
}

// newSecretSource returns the source of a secret, which is inline or in a file. It returns zero
// if neither was given. It makes the path of the file relative to the working directory.
func (p position) newSecretSource(field string, inline secret.Value, file *string, kind secretKind) SecretSource {
	fileField := field + "_file"
	switch {
	case *file != "":
		at := p.child(fileField)
		if !inline.IsZero() {
			at.report("both "+p.name(field)+" and "+p.name(fileField), "keep one of the two")
		}
		at.checkPath(*file)
		*file = promconfig.JoinDir(p.dir(), *file)
		return SecretSource{name: p.name(fileField), file: *file, kind: kind}
	case !inline.IsZero():
		p.child(field).checkSecret(inline.Reveal(), kind)
		return SecretSource{name: p.name(field), value: inline, kind: kind}
	default:
		return SecretSource{}
	}
}

// checkSecret reports a secret in the configuration that is not valid.
func (p position) checkSecret(value string, kind secretKind) {
	if err := kind.check(value); err != nil && !p.isReported() {
		p.report(err.Error(), hintFor(err))
	}
}

// secretInPath matches what is probably a secret, or part of one, and not the path of a file.
var secretInPath = regexp.MustCompile(`^eyJ|^[Bb]earer |-{5}BEGIN|[[:cntrl:]]`)

// checkPath reports a path that is probably a secret in the wrong field. Errors, pages and logs
// show paths. It returns false if it reports a problem.
func (p position) checkPath(path string) bool {
	isTooLong := len(filepath.Base(path)) > 255 || len(path) > 1000
	isOneWord := len(path) >= 32 && !strings.ContainsAny(path, `./\ `) && strings.ContainsAny(path, "0123456789")
	if isTooLong || isOneWord || secretInPath.MatchString(path) {
		p.report("looks like a secret and is not shown", "write the secret into a file and name the file; if this is the name of a file, begin it with ./")
		return false
	}
	return true
}
