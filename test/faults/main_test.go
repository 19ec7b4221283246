package faults

import (
	"flag"
	"io"
	"log"
	"testing"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "update the tables and log lines in docs")

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // as the program does
	startNameServer()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) // the name server runs until the end
}
