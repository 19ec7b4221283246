package main

import (
	"bufio"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machineTable says what was measured, and on what.
func (b *bench) machineTable(ctx context.Context) (*table, error) {
	processor, err := processorName()
	if err != nil {
		return nil, err
	}
	kernel, err := kernelName()
	if err != nil {
		return nil, err
	}
	t := &table{name: "machine", head: []string{"what", "which"}}
	t.add("processor", fmt.Sprintf("%s, %d cores", processor, runtime.NumCPU()))
	t.add("kernel", kernel)
	t.add("rounds", fmt.Sprintf("%d, of large payloads %d, of scrapes over 10 s %d", b.rounds, b.payloadRounds(), b.spreadRounds()))
	version, err := exec.CommandContext(ctx, b.binaries[ours], "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("failed to ask %s for its version: %w", b.binaries[ours], err)
	}
	line, _, _ := strings.Cut(string(version), "\n")
	_, says, _ := strings.Cut(line, ", ")
	for _, name := range []string{ours, blackbox, jsonPeer} {
		info, err := buildinfo.ReadFile(b.binaries[name])
		if err != nil {
			return nil, err
		}
		if name != ours { // the peers are built as modules, which have a version
			says = "version " + info.Main.Version
		}
		t.add(name, says+", built with "+info.GoVersion)
	}
	return t, nil
}

func processorName() (string, error) {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "", err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value), nil
		}
	}
	return runtime.GOARCH, lines.Err()
}
