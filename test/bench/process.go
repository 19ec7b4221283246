package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A process is one that the benchmark started. It does not outlive it.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string // file of its standard error
	since time.Time
	ended chan struct{}
}

// startProcess starts a command whose standard error goes to a file in dir.
func startProcess(name, dir string, cmd *exec.Cmd) (*process, error) {
	log, err := os.CreateTemp(dir, "*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &process{name: name, cmd: cmd, log: log.Name(), since: time.Now(), ended: make(chan struct{})}
	cmd.Stderr = log
	dieTogether(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("failed to start %s: %w", name, err)
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	return p, nil
}

// stop ends the process.
func (p *process) stop() {
	_ = p.cmd.Process.Kill() // its error is that of a process that has ended
	<-p.ended
}

// alive returns an error if the process has ended.
func (p *process) alive() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s ended with %v:\n%s", p.name, p.cmd.ProcessState, p.lastWords())
	default:
		return nil
	}
}

// lastWords is the end of what the process wrote to its standard error.
func (p *process) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-1000):])
}

// A socket is an address that a server gets when it starts. Who connects before is
// answered once it runs.
type socket struct {
	listener *net.TCPListener
	url      string
}

func newSocket(ctx context.Context) (*socket, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return nil, errors.Join(errors.New("not a socket of TCP"), l.Close())
	}
	return &socket{tcp, "http://" + l.Addr().String()}, nil
}

// serve starts an exporter that listens on the socket, as it would under systemd, and
// lets go of it. Its environment is empty.
func (s *socket) serve(ctx context.Context, dir, binary string, args ...string) (*process, error) {
	defer s.listener.Close()
	file, err := s.listener.File()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if binary, err = filepath.Abs(binary); err != nil {
		return nil, err
	}
	const script = `export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"`
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", script, "sh", binary, "--web.systemd-socket"}, args...)...)
	cmd.Env, cmd.Dir = []string{}, dir
	cmd.ExtraFiles = []*os.File{file}
	return startProcess(filepath.Base(binary), dir, cmd)
}
