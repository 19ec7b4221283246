// Package kubernetes tests the Helm chart. Helm renders it, the types of the API server decode
// it, the program loads its configuration, and promtool checks its rules.
//
// It is a module of its own, because Helm and the types of Kubernetes take long to compile.
package kubernetes
