// Package scenarios tells stories of the whole program: what scrapers see of healthy
// HMPs while others hang, end tokens, or answer with errors. It has tests and nothing else.
//
// Each test starts the program as it is built for users, with a configuration in YAML.
// The HMPs are servers in the test. Scrapers send the header of Prometheus that says how
// long they wait, so that a test decides how long a probe of a hung HMP lasts.
//
// docs/reliability.md has a row for each test.
package scenarios
