package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
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
	err = fmt.Errorf("failed to load the web configuration %s: %w", file, err)
	if strings.Contains(err.Error(), "crypto/bcrypt") {
		err = fmt.Errorf("%w; make the hash with `htpasswd -nBC 10`", err)
	}
	return err
}

// validateSyntax makes those checks of the toolkit that need no other file.
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
