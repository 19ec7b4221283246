package config

import (
	"bytes"
	"net/url"

	"github.com/alecthomas/units"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/secret"
)

// rawFile mirrors the main file. The decoder fills the raw structs and uses their field names
// in its messages. Config.YAML prints them, and Same compares them.
type rawFile struct {
	Global      rawGlobal   `yaml:"global"`
	Targets     []rawTarget `yaml:"targets"`
	TargetFiles []string    `yaml:"target_files,omitempty"`
}

type rawGlobal struct {
	Timeout       model.Duration `yaml:"timeout,omitempty"`
	TokenLifetime model.Duration `yaml:"token_lifetime,omitempty"`
}

type rawTarget struct {
	Name               string `yaml:"name"`
	URL                string `yaml:"url"`
	Address            string `yaml:"address,omitempty"`
	rawGlobal          `yaml:",inline"`
	MaxConcurrent      int              `yaml:"max_concurrent,omitempty"`
	Labels             labels           `yaml:"labels,omitempty"`
	KeepAlive          bool             `yaml:"keep_alive"`
	EnableHTTP2        bool             `yaml:"enable_http2"`
	MaxBodySize        units.Base2Bytes `yaml:"max_body_size,omitempty"`
	ServiceMessageText bool             `yaml:"service_message_text"`

	TLSConfig              promconfig.TLSConfig `yaml:"tls_config,omitempty"`
	promconfig.ProxyConfig `yaml:",inline"`
	HTTPHeaders            map[string]promconfig.Header `yaml:"http_headers,omitempty"`
	Sessions               []rawSession                 `yaml:"sessions"`
}

type rawSession struct {
	Name          string       `yaml:"name"`
	Token         secret.Value `yaml:"token,omitempty"`
	TokenFile     string       `yaml:"token_file,omitempty"`
	APIKey        secret.Value `yaml:"api_key,omitempty"`
	APIKeyFile    string       `yaml:"api_key_file,omitempty"`
	APISecret     secret.Value `yaml:"api_secret,omitempty"`
	APISecretFile string       `yaml:"api_secret_file,omitempty"`
}

// encodeYAML returns what Config.YAML returns.
func encodeYAML(global rawGlobal, targets []*Target) ([]byte, error) {
	f := rawFile{Global: global}
	for _, t := range targets {
		raw := *t.raw
		// The package of Prometheus masks only the password of a URL.
		if u := raw.ProxyURL.URL; u != nil && u.User != nil {
			masked := *u
			masked.User = url.User(secret.Masked)
			raw.ProxyURL.URL = &masked
		}
		f.Targets = append(f.Targets, raw)
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	err := encoder.Encode(f)
	return text.Bytes(), err
}
