package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// roleVariable is the variable of the environment that gives this program a role.
const roleVariable = "HMP_EXPORTER_BENCH_ROLE"

// roles are what a process of the benchmark can be beside the one that measures. Each
// takes orders from its standard input, until that ends, and reports on its output.
var roles = map[string]func(orders io.Reader, reports io.Writer) error{
	"hmp":   beHMP,
	"load":  beLoad,
	"floor": beFloor,
}

// play plays a role to its end.
func play(role string) error {
	be, ok := roles[role]
	if !ok {
		return fmt.Errorf("there is no role %q", role)
	}
	return be(os.Stdin, os.Stdout)
}

// A reply is an error or a report.
type reply[R any] struct {
	Error  string
	Report R
}

// obey reports on each order what do makes of it.
func obey[O, R any](orders io.Reader, reports io.Writer, do func(O) (R, error)) error {
	in, out := json.NewDecoder(orders), json.NewEncoder(reports)
	for {
		var order O
		if err := in.Decode(&order); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("failed to read an order: %w", err)
		}
		var r reply[R]
		var err error
		if r.Report, err = do(order); err != nil {
			r.Error = err.Error()
		}
		if err := out.Encode(r); err != nil {
			return fmt.Errorf("failed to report: %w", err)
		}
	}
}
