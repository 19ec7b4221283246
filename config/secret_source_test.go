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

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// Each Read has the current content of the file.
func TestSecretFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	token, key := SecretSource{name: "token_file", file: file, kind: kindToken}, SecretSource{name: "api_key_file", file: file}
	header := SecretSource{name: "http_headers.X.files[0]", file: file, kind: kindHeader}
	for _, tt := range []struct {
		source        SecretSource
		content, want string
		err           error
	}{
		{token, "CANARY\n", "CANARY", nil},
		{token, "\n \u00a0CANARY\t \r\n", "CANARY", nil},
		{token, "!~<>{}CANARY", "!~<>{}CANARY", nil},
		{token, strings.Repeat("a", maxSecretFile), strings.Repeat("a", maxSecretFile), nil},
		{token, "", "", errEmpty},
		{token, " \t\r\n", "", errEmpty},
		{token, "CANARY\nCANARY", "", errLines},
		{token, "bearer CANARY", "", errSpace},
		{token, "CANARY\tCANARY", "", errSpace},
		{token, "${CANARY}", "", errVariable},
		{token, "CANARY\x00", "", errCharacters},
		{token, "CANARÝ", "", errCharacters},
		{token, "CANARY\xff", "", errCharacters},
		{token, "\ufeffCANARY", "", errCharacters},
		{token, "\xff\xfeC\x00A\x00N\x00", "", errCharacters}, // UTF-16
		{token, strings.Repeat("CANARY", maxSecretFile), "", errTooLarge},
		{key, "CANARYä", "CANARYä", nil},
		{key, "CANARY ä", "", errSpace},
		{header, "CANARY two words\n", "CANARY two words", nil},
		{header, "CANARY\nCANARY", "", errCharacters},
		{header, " \n", "", errEmpty},
	} {
		exportertest.WriteFile(t, file, tt.content)
		got, err := tt.source.Read(t.Context())
		if got.Reveal() != tt.want || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Errorf("Read of %.20q = %d bytes, %v; want %d bytes, %v", tt.content, len(got.Reveal()), err, len(tt.want), tt.err)
		}
		canary.Check(t, "the text", errorText(err)+tt.source.String())
	}
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
