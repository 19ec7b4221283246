package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// A child is this program in another role. It takes one order at a time.
type child struct {
	*process
	orders  *json.Encoder
	reports *json.Decoder
}

func startChild(ctx context.Context, name, role, dir string) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = []string{roleVariable + "=" + role}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	reports, stdout, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	cmd.Stdout = stdout
	p, err := startProcess(name, dir, cmd)
	if err != nil {
		return nil, errors.Join(err, reports.Close())
	}
	context.AfterFunc(ctx, func() { _ = reports.Close() })
	return &child{p, json.NewEncoder(stdin), json.NewDecoder(reports)}, nil
}

// ask gives an order and returns the report. A child that takes longer is ended.
func ask[R, O any](c *child, order O, patience time.Duration) (R, error) {
	var r reply[R]
	late := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	err := c.orders.Encode(order)
	if err == nil {
		err = c.reports.Decode(&r)
	}
	switch {
	case !late.Stop():
		return r.Report, fmt.Errorf("%s did not report within %s", c.name, patience)
	case err != nil:
		return r.Report, fmt.Errorf("%s does not report: %w\n%s", c.name, err, c.lastWords())
	case r.Error != "":
		return r.Report, errors.New(r.Error)
	}
	return r.Report, nil
}
