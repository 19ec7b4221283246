//go:build !linux

package main

import (
	"errors"
	"os/exec"
	"time"
)

// A memory is what a process has resident, and the most that it had, in bytes.
type memory struct{ resident, peak float64 }

var errNotLinux = errors.New("what a process costs is only measured on Linux")

func dieTogether(*exec.Cmd)                    {}
func (p *process) cpu() (time.Duration, error) { return 0, errNotLinux }
func (p *process) memory() (memory, error)     { return memory{}, errNotLinux }
func (p *process) forgetPeak() error           { return errNotLinux }
func kernelName() (string, error)              { return "", errNotLinux }
