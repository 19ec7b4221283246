package config

import (
	"hmp_exporter/internal/secret"

	"github.com/alecthomas/units"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

// The raw structs mirror the file: a field there is a field here, and the yaml tag
// is its name. They serve three ends: the decoder fills them, its messages take
// the names of the known fields from them, and Config.YAML prints them.

// rawFile is the main file.
type rawFile struct {
	Global      rawGlobal   `yaml:"global"`
	Targets     []rawTarget `yaml:"targets"`
	TargetFiles []string    `yaml:"target_files,omitempty"`
}

// rawGlobal holds what a target takes over unless it says otherwise.
type rawGlobal struct {
	Timeout       model.Duration `yaml:"timeout,omitempty"`
	TokenLifetime model.Duration `yaml:"token_lifetime,omitempty"`
}

// rawTarget is one item of targets, in the main file or in one of target_files.
type rawTarget struct {
	Name               string           `yaml:"name"`
	URL                string           `yaml:"url"`
	Timeout            model.Duration   `yaml:"timeout,omitempty"`
	TokenLifetime      model.Duration   `yaml:"token_lifetime,omitempty"`
	KeepAlive          bool             `yaml:"keep_alive"`
	EnableHTTP2        bool             `yaml:"enable_http2"`
	MaxBodySize        units.Base2Bytes `yaml:"max_body_size,omitempty"`
	ServiceMessageText bool             `yaml:"service_message_text"`

	TLSConfig              *promconfig.TLSConfig `yaml:"tls_config,omitempty"`
	promconfig.ProxyConfig `yaml:",inline"`
	HTTPHeaders            promconfig.Headers `yaml:"http_headers,omitempty"`

	Sessions []rawSession `yaml:"sessions"`
}

// rawSession is one item of a target's sessions.
type rawSession struct {
	Name          string       `yaml:"name"`
	Token         secret.Value `yaml:"token,omitempty"`
	TokenFile     string       `yaml:"token_file,omitempty"`
	APIKey        secret.Value `yaml:"api_key,omitempty"`
	APIKeyFile    string       `yaml:"api_key_file,omitempty"`
	APISecret     secret.Value `yaml:"api_secret,omitempty"`
	APISecretFile string       `yaml:"api_secret_file,omitempty"`
}
