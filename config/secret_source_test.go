//go:build unix

package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// secretContents are contents of a file: the secret that Read returns, or the error.
var secretContents = []struct {
	kind          secretKind
	content, want string
	err           error
}{
	{kindToken, "CANARY\n", "CANARY", nil},
	{kindToken, "\n \u00a0CANARY\t \r\n", "CANARY", nil},
	{kindToken, "!~<>{}CANARY", "!~<>{}CANARY", nil},
	{kindToken, strings.Repeat("a", maxSecretFile), strings.Repeat("a", maxSecretFile), nil},
	{kindToken, "", "", errEmpty},
	{kindToken, " \t\r\n", "", errEmpty},
	{kindToken, "CANARY\nCANARY", "", errLines},
	{kindToken, "bearer CANARY", "", errSpace},
	{kindToken, "CANARY\tCANARY", "", errSpace},
	{kindToken, "${CANARY}", "", errVariable},
	{kindToken, "CANARY\x00", "", errCharacters},
	{kindToken, "CANARÝ", "", errCharacters},
	{kindToken, "CANARY\xff", "", errCharacters},
	{kindToken, "\ufeffCANARY", "", errCharacters},
	{kindToken, "\xff\xfeC\x00A\x00N\x00", "", errCharacters}, // UTF-16
	{kindToken, strings.Repeat("CANARY", maxSecretFile), "", errTooLarge},
	{kindKey, "CANARYä", "CANARYä", nil},
	{kindKey, "CANARY ä", "", errSpace},
	{kindHeader, "CANARY two words\n", "CANARY two words", nil},
	{kindHeader, "CANARY\nCANARY", "", errCharacters},
	{kindHeader, " \n", "", errEmpty},
}

// Each Read has the current content of the file.
func TestSecretFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	for _, tt := range secretContents {
		exportertest.WriteFile(t, file, tt.content)
		source := SecretSource{name: "token_file", file: file, kind: tt.kind}
		got, err := source.Read(t.Context())
		if got.Reveal() != tt.want || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Errorf("Read of %.20q = %d bytes, %v; want %d bytes, %v", tt.content, len(got.Reveal()), err, len(tt.want), tt.err)
		}
		canary.Check(t, "the text", errorText(err)+source.String())
	}
}

// FuzzSecretFile reads any file as a token, or as an API key. Read returns the trimmed content if
// the exporter can send it. Otherwise, it returns an error without the content.
func FuzzSecretFile(f *testing.F) {
	for _, seed := range secretContents {
		f.Add([]byte(seed.content), seed.kind == kindToken)
	}
	file := filepath.Join(f.TempDir(), "secret")
	f.Fuzz(func(t *testing.T, content []byte, isToken bool) {
		exportertest.WriteFile(t, file, string(content))
		source := SecretSource{name: "token_file", file: file}
		if isToken {
			source.kind = kindToken
		}
		secret, err := source.Read(t.Context())
		if err != nil {
			for _, problem := range []error{errEmpty, errLines, errVariable, errSpace, errCharacters, errTooLarge} {
				if err.Error() == "token_file "+file+": "+problem.Error() && errors.Is(err, problem) && secret.IsZero() {
					return
				}
			}
			t.Fatalf("Read of %d bytes = %v, %v", len(content), secret, err)
		}
		value := secret.Reveal()
		if value == "" || value != strings.TrimSpace(string(content)) || !utf8.ValidString(value) {
			t.Errorf("Read of %q = %q", content, value)
		}
		if isToken && (!httpguts.ValidHeaderFieldValue("Bearer "+value) || strings.Contains(value, " ")) {
			t.Errorf("a header cannot have the token %q", value)
		}
	})
}

func TestNoSecretFile(t *testing.T) {
	dir := t.TempDir()
	file, fifo := filepath.Join(dir, "file"), filepath.Join(dir, "fifo")
	exportertest.WriteFile(t, file, "CANARY")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		filepath.Join(dir, "nowhere"): fs.ErrNotExist,
		dir:                           errDirectory,
		filepath.Join(file, "token"):  syscall.ENOTDIR,
		fifo:                          errNotRegular,
		os.DevNull:                    errNotRegular,
	} {
		_, err := SecretSource{name: "token_file", file: path}.Read(t.Context())
		if !errors.Is(err, want) || strings.Count(errorText(err), path) != 1 {
			t.Errorf("Read = %v, want %v and the file once", err, want)
		}
	}
}
