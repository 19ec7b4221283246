package main

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"
)

// object is one of YAML.
type object map[string]any

// writeConfig writes a configuration, with tokens in it, that only its owner may read.
func (b *bench) writeConfig(config any) (file string, err error) {
	text, err := yaml.Marshal(config)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(b.dir, "*.yml")
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		return "", fmt.Errorf("failed to write a configuration: %w", err)
	}
	return f.Name(), nil
}

// oursConfig is one HMP with all its sessions.
func oursConfig(b *bench, s setting) any {
	hmp, ca := b.at.url(s.transport)
	target := object{"name": "bench", "url": hmp, "keep_alive": s.kept}
	if ca != "" {
		target["tls_config"] = object{"ca": ca}
	}
	sessions := make([]object, s.sessions)
	for i := range sessions {
		sessions[i] = object{"name": sessionName(s.first + i), "token": sessionToken(s.first + i)}
	}
	target["sessions"] = sessions
	return object{"targets": []object{target}}
}

// blackboxConfig has a module for every session, as the token is the module's. The body
// has to begin as a session does: that is as much as it can tell, and costs it least.
func blackboxConfig(b *bench, s setting) any {
	return peerConfig(s, func(session int) object {
		http := b.peerClient(s, session)
		http["preferred_ip_protocol"] = "ip4"
		http["ip_protocol_fallback"] = false
		http["valid_status_codes"] = []int{200}
		http["fail_if_body_not_matches_regexp"] = []string{`^\{"data":\{`}
		return object{"prober": "http", "http": http}
	})
}

// jsonConfig has a module for every session too, and in each what of the session is a
// number or can be counted by Prometheus.
func jsonConfig(b *bench, s setting) any {
	return peerConfig(s, func(session int) object {
		return object{
			"http_client_config": b.peerClient(s, session),
			"valid_status_codes": []int{200},
			"metrics": []object{
				{"name": "hmp_session_admin", "path": "{ .data.admin }", "valuetype": "gauge"},
				{
					"name": "hmp_session_service_message", "type": "object", "valuetype": "gauge",
					"path": "{ .data.serviceMessages[*] }", "labels": object{"message": "{ @ }"}, "values": object{"present": "1"},
				},
			},
		}
	})
}

func peerConfig(s setting, module func(session int) object) any {
	modules := make(object, s.sessions)
	for i := range s.sessions {
		modules[sessionName(s.first+i)] = module(s.first + i)
	}
	return object{"modules": modules}
}

// peerClient is what the two peers have in common: the settings of an HTTP client. With
// the authority and the token in them, no file is read for a probe.
func (b *bench) peerClient(s setting, session int) object {
	client := object{
		"authorization":    object{"credentials": sessionToken(session)},
		"follow_redirects": false,
		"enable_http2":     false,
	}
	if _, ca := b.at.url(s.transport); ca != "" {
		client["tls_config"] = object{"ca": ca}
	}
	return client
}
