package faults

import (
	"errors"
	"fmt"
	"syscall"
)

// refused gives the target a port on which nobody listens. A bound socket reserves it.
func refused(s *setup) {
	_, port := boundSocket(s)
	s.url = fmt.Sprintf("http://127.0.0.1:%d", port)
}

// dropped gives the target a port whose queue of connections is full. The system drops packets
// of new connections.
func dropped(s *setup) {
	fd, port := boundSocket(s)
	if err := syscall.Listen(fd, 0); err != nil {
		s.t.Fatal(err)
	}
	s.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	// Linux queues one more than configured. The other connections retry, so the queue stays full.
	for range 8 {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
		if err != nil {
			s.t.Fatal(err)
		}
		s.closers = append(s.closers, func() { _ = syscall.Close(fd) })
		err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
		if err != nil && !errors.Is(err, syscall.EINPROGRESS) {
			s.t.Fatal(err)
		}
	}
}

// boundSocket returns a socket with a port until the setup is closed.
func boundSocket(s *setup) (fd, port int) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.closers = append(s.closers, func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		s.t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		s.t.Fatal(err)
	}
	return fd, name.(*syscall.SockaddrInet4).Port
}
