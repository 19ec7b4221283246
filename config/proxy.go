package config

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// checkProxy checks the proxy of a target. Without the check, net/http would ignore a proxy in
// the environment that is no URL.
func (p position) checkProxy(raw *rawTarget, target *url.URL) {
	if err := raw.ProxyConfig.Validate(); err != nil && !p.child("proxy_url").isReported() {
		p.child("proxy_url").report(err.Error(), "")
	}
	if raw.ProxyFromEnvironment && target != nil {
		environment := httpproxy.FromEnvironment()
		text := environment.HTTPSProxy
		if target.Scheme == "http" {
			text = environment.HTTPProxy
		}
		environment.NoProxy = ""
		u, err := environment.ProxyFunc()(&url.URL{Scheme: target.Scheme, Host: "hmp.example"})
		if text != "" && (err != nil || u == nil || !isProxy(u)) {
			p.child("proxy_from_environment").report("the environment variable "+strings.ToUpper(target.Scheme)+"_PROXY is not the URL of a proxy", "write it like http://proxy.example:3128, or unset it")
		}
	}
	for name, values := range raw.ProxyConnectHeader {
		for i, value := range values {
			p.child("proxy_connect_header").child(name).item(i).checkSecret(string(value), kindHeader)
		}
	}
}

// isProxy reports whether net/http can use the URL as the URL of a proxy.
func isProxy(u *url.URL) bool {
	return slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) && u.Hostname() != "" &&
		isPort(cmp.Or(u.Port(), "443")) && !strings.HasSuffix(u.Host, ":")
}
