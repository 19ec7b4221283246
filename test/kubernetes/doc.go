// Package kubernetes tests the Helm chart: rendered by Helm itself, decoded as the API server decodes it, with the
// configuration in it loaded by the program and the rules in it by promtool.
//
// It is a module apart from e2e, because Helm and the types of Kubernetes take as long to compile as the rest together.
package kubernetes
