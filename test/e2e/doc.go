// Package e2e tests the finished program from outside, as those who run it meet it: the binary that `make build` wrote,
// scraped by a real Prometheus, and the image that the Dockerfile describes, built and run.
//
// It is a module of its own, and so is each tool below tools/: what the tests need stays out of the program's go.mod.
// `make e2e`, in the folder above, builds the program and the tools first and then runs the tests.
package e2e
