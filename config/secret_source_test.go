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
	"hmp_exporter/internal/secret"
)

func TestSecretSourceRead(t *testing.T) {
	tests := []struct {
		name, content string
		key           bool // an API key and not a token
		want          string
		err           error
	}{
		{name: "newline", content: "CANARY\n", want: "CANARY"},
		{name: "CRLF", content: "CANARY\r\n", want: "CANARY"},
		{name: "all visible ASCII", content: "!~<>{}CANARY", want: "!~<>{}CANARY"},
		{name: "empty", content: "", err: errEmpty},
		{name: "white space alone", content: " \t\n", err: errEmpty},
		{name: "two lines", content: "CANARY\nCANARY", err: errLines},
		{name: "Bearer", content: "bearer CANARY", err: errSpace},
		{name: "variable", content: "${CANARY}", err: errVariable},
		{name: "space", content: "CANARY CANARY", err: errSpace},
		{name: "white space at both ends", content: "\n \u00a0CANARY\t \r\n", want: "CANARY"},
		{name: "NUL", content: "CANARY\x00", err: errCharacters},
		{name: "tab", content: "CANARY\tCANARY", err: errSpace},
		{name: "not ASCII", content: "CANARÝ", err: errCharacters},
		{name: "not UTF-8", content: "CANARY\xff", err: errCharacters},
		{name: "byte order mark", content: "\ufeffCANARY", err: errCharacters},
		{name: "largest", content: strings.Repeat("a", maxSecretFile), want: strings.Repeat("a", maxSecretFile)},
		{name: "too large", content: strings.Repeat("CANARY", maxSecretFile), err: errTooLarge},
		{name: "key with umlaut", key: true, content: "CANARYä", want: "CANARYä"},
		{name: "key with space", key: true, content: "CANARY ä", err: errSpace},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "secret")
			write(t, file, test.content)
			source := SecretSource{name: "token_file", file: file, kind: isToken}
			if test.key {
				source.kind = isKey
			}
			got, err := source.Read(t.Context())
			if got.Reveal() != test.want || !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
				t.Errorf("Read = %d bytes, %v; want %d bytes, %v", len(got.Reveal()), err, len(test.want), test.err)
			}
			canary.Check(t, "the text", errorText(err)+source.String())
		})
	}
}

func TestSecretSourceFileErrors(t *testing.T) {
	dir := t.TempDir()
	file, fifo := filepath.Join(dir, "file"), filepath.Join(dir, "fifo")
	write(t, file, "CANARY")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, file string
		want       error
	}{
		{"missing", filepath.Join(dir, "nowhere"), fs.ErrNotExist},
		{"directory", dir, errDirectory},
		{"below a file", filepath.Join(file, "token"), syscall.ENOTDIR},
		{"FIFO", fifo, errNotRegular},
		{"device", os.DevNull, errNotRegular},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := SecretSource{name: "token_file", file: test.file}.Read(t.Context())
			if !errors.Is(err, test.want) {
				t.Errorf("Read = %v, want %v", err, test.want)
			}
			if got := errorText(err); strings.Count(got, test.file) != 1 {
				t.Errorf("Read = %q, want the file once", got)
			}
		})
	}
}

// TestSecretSourceFollowsRotation swaps the file as Kubernetes does, by a link.
func TestSecretSourceFollowsRotation(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "token")
	source := SecretSource{name: "token_file", file: link, kind: isToken}
	for _, value := range []string{"first", "second"} {
		write(t, filepath.Join(dir, value), value+"\n")
		if err := os.Symlink(value, link+".new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link+".new", link); err != nil {
			t.Fatal(err)
		}
		got, err := source.Read(t.Context())
		if err != nil || got.Reveal() != value {
			t.Errorf("Read = %q, %v; want %q", got.Reveal(), err, value)
		}
	}
}

func TestSecretSourceString(t *testing.T) {
	tests := []struct {
		source SecretSource
		want   string
	}{
		{SecretSource{}, "none"},
		{SecretSource{name: "token", value: secret.New(canary.Word)}, "token in the configuration"},
		{SecretSource{name: "HMP_TOKEN", value: secret.New(canary.Word)}, "environment variable HMP_TOKEN"},
		{SecretSource{name: "token_file", file: "secrets/a"}, "token_file secrets/a"},
	}
	for _, test := range tests {
		if got := test.source.String(); got != test.want || test.source.IsZero() != (test.want == "none") {
			t.Errorf("String = %q, want %q", got, test.want)
		}
	}
}
