package faults

import (
	"fmt"
	"strings"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"hmp_exporter/internal/hmp"
)

// toxicRows have a healthy HMP behind a network that Toxiproxy spoils.
func toxicRows() []row {
	return []row{
		{name: "data is dropped once there is a connection", set: toxic(`{"type":"timeout","stream":"upstream","attributes":{"timeout":0}}`), want: failed(hmp.Timeout, 1).lasts()},
		{name: "answers are dropped", set: toxic(`{"type":"timeout","stream":"downstream","attributes":{"timeout":0}}`), want: failed(hmp.Timeout, 1).lasts()},
		{name: "the network resets the connection", set: toxic(`{"type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`), want: failed(hmp.Protocol, 1)},
		{name: "the network ends the connection after 40 bytes", set: toxic(`{"type":"limit_data","stream":"downstream","attributes":{"bytes":40}}`), want: failed(hmp.Protocol, 1)},
		{name: "the network ends the connection after 300 bytes", set: toxic(`{"type":"limit_data","stream":"downstream","attributes":{"bytes":300}}`), want: answered(hmp.BadPayload, 200)},
		{name: "the network slices what it carries", set: toxic(`{"type":"slicer","stream":"downstream","attributes":{"average_size":10,"size_variation":5,"delay":10}}`), want: valid().messages(goodMessages)},
		{name: "the network is slower than the deadline", set: toxic(`{"type":"latency","stream":"downstream","attributes":{"latency":60000}}`), want: failed(hmp.Timeout, 1).lasts()},
	}
}

// toxic puts a proxy of Toxiproxy between the exporter and a healthy target.
func toxic(description string) func(*stage) {
	return func(s *stage) {
		s.target(good())
		server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
		proxy := toxiproxy.NewProxy(server, "network", "127.0.0.1:0", s.origin.address())
		if err := proxy.Start(); err != nil {
			s.t.Fatal(err)
		}
		s.closers = append(s.closers, proxy.Stop)
		if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(description)); err != nil {
			s.t.Fatal(err)
		}
		s.url = fmt.Sprintf("http://%s", proxy.Listen)
	}
}
