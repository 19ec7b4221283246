package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dieTogether lets a command end when this process ends, however it does.
func dieTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// cpu is the time that a process has used on all cores, of threads that have ended too.
func (p *process) cpu() (time.Duration, error) {
	// As clock_getcpuclockid does: the complement of the process, and 2 for a clock that
	// the scheduler keeps, to the nanosecond.
	clock := int32(^p.cmd.Process.Pid<<3 | 2) //nolint:gosec // a process has fewer than 30 bits
	var used unix.Timespec
	if err := unix.ClockGettime(clock, &used); err != nil {
		return 0, fmt.Errorf("failed to read the CPU time of %s: %w", p.name, err)
	}
	return time.Duration(used.Nano()), nil
}

// A memory is what a process has resident, and the most that it had, in bytes.
type memory struct{ resident, peak float64 }

func (p *process) memory() (m memory, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return m, fmt.Errorf("failed to read the memory of %s: %w", p.name, err)
	}
	for name, value := range map[string]*float64{"VmRSS:": &m.resident, "VmHWM:": &m.peak} {
		_, rest, _ := bytes.Cut(status, []byte(name))
		if _, err := fmt.Fscan(bytes.NewReader(rest), value); err != nil {
			return m, fmt.Errorf("failed to read %s of %s: %w", name, p.name, err)
		}
		*value *= 1024
	}
	return m, nil
}

// forgetPeak lets the most that the process had resident be what it has now.
func (p *process) forgetPeak() error {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0o600); err != nil {
		return fmt.Errorf("failed to reset the peak of %s: %w", p.name, err)
	}
	return nil
}

func kernelName() (string, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "", fmt.Errorf("failed to ask for the kernel: %w", err)
	}
	return unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:]), nil
}
