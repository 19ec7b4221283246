package faults

import (
	"flag"
	"io"
	"log"
	"testing"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the tables of docs/fault-matrix.md anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

// A suite is the tests of this package, and the name server that they ask.
type suite struct{ m *testing.M }

func (s suite) Run() int {
	log.SetOutput(io.Discard) // as main does, which has a test of its own for it
	defer startNameServer()()
	return s.m.Run()
}
