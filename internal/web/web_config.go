package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/bcrypt"
)

// ValidateConfig reads a web configuration file, "" for none, as the exporter toolkit does.
// With syntaxOnly it opens no certificate and no key.
func ValidateConfig(file string, syntaxOnly bool) error {
	validate := toolkit.Validate
	if syntaxOnly {
		validate = validateSyntax
	}
	err := validate(file)
	if err == nil {
		return nil
	}
	return configError(file, err)
}

// quotedValue matches what errors of the YAML and the bcrypt packages quote from the file: a part
// of a key or a password.
var quotedValue = regexp.MustCompile("(?s) `.*?`( into )| '.*?'( referenced)|, but hashedSecret started with '.'()")

// configError returns an error of a web configuration file without the values of the file.
func configError(file string, err error) error {
	problem := quotedValue.ReplaceAllString(err.Error(), "$1$2$3")
	if strings.Contains(problem, "crypto/bcrypt") {
		problem += "; make the hash with `htpasswd -nBC 10`"
	}
	return fmt.Errorf("failed to load the web configuration %s: %s", file, problem)
}

// validateSyntax checks the syntax, the names of the fields, and the hashes of passwords. It does
// not check headers, nor which fields of TLS belong together.
func validateSyntax(file string) error {
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var c toolkit.Config
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, hash := range c.Users {
		if _, err := bcrypt.Cost([]byte(hash)); err != nil {
			return err
		}
	}
	return nil
}

// scheme returns https if a web configuration has TLS. The file may be "".
func scheme(file string) (string, error) {
	if file == "" {
		return "http", nil
	}
	var c struct {
		TLS toolkit.TLSConfig `yaml:"tls_server_config"`
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", configError(file, err)
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		return "", configError(file, err)
	}
	if c.TLS.IsEnabled() {
		return "https", nil
	}
	return "http", nil
}
