package faults

import (
	"flag"
	"io"
	"log"
	"testing"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "update the tables and log lines in docs")

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

// A suite is the tests of this package with a name server.
type suite struct{ m *testing.M }

func (s suite) Run() int {
	log.SetOutput(io.Discard) // as the program does
	defer startNameServer()()
	return s.m.Run()
}
