package main

import (
	"context"
	"net/url"
	"path/filepath"

	"hmp_exporter/internal/hmpsim"
)

// An exporter is how a program is started, and asked about a session.
type exporter struct {
	config func(b *bench, s setting) any
	args   []string
	path   func(hmp string) string
	want   expectation
}

var exporters = map[string]exporter{
	ours: {
		config: oursConfig,
		args:   []string{"--web.max-requests=0"},
		path:   func(string) string { return "/probe?target=bench&session={session}" },
		want:   expectation{Samples: map[string]float64{`hmp_session_valid{session="{session}",target="bench"}`: 1}},
	},
	blackbox: {
		config: blackboxConfig,
		args:   []string{"--log.level=error", "--log.prober=error", "--web.external-url=http://localhost"},
		path:   peerPath,
		want:   expectation{Samples: map[string]float64{"probe_success": 1}},
	},
	jsonPeer: {
		config: jsonConfig,
		args:   []string{"--log.level=error"},
		path:   peerPath,
		want:   expectation{Lines: map[string]int{jsonMessage: 1}},
	},
}

// jsonMessage is how a line for a service message begins.
const jsonMessage = "hmp_session_service_message_present{"

// peerPath asks with the module that has the token of the session.
func peerPath(hmp string) string {
	return "/probe?module={session}&target=" + url.QueryEscape(hmp+hmpsim.Endpoint)
}

// exporter starts one and waits until it answers.
func (b *bench) exporter(ctx context.Context, name string, s setting) (*subject, error) {
	x, err := b.launch(ctx, name, s)
	if err != nil {
		return nil, err
	}
	return b.settle(s, x)
}

// launch starts an exporter, which may not be ready yet.
func (b *bench) launch(ctx context.Context, name string, s setting) (*subject, error) {
	x := exporters[name]
	file, err := b.writeConfig(x.config(b, s))
	if err != nil {
		return nil, err
	}
	socket, err := newSocket(ctx)
	if err != nil {
		return nil, err
	}
	p, err := socket.serve(ctx, b.dir, b.binaries[name], append([]string{"--config.file=" + filepath.Base(file)}, x.args...)...)
	if err != nil {
		return nil, err
	}
	b.started = append(b.started, p)
	hmp, _ := b.at.url(s.transport)
	return &subject{
		name: name, process: p, asker: b.load, metrics: socket.url + "/metrics",
		order: loadOrder{URL: socket.url + x.path(hmp), Want: x.want},
	}, nil
}
