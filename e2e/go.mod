module hmp_exporter/e2e

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	go.yaml.in/yaml/v3 v3.0.6
	hmp_exporter v0.0.0-00010101000000-000000000000
)

replace hmp_exporter => ../
