package faults

import (
	"errors"
	"fmt"
	"syscall"
)

// refused points the target to a port at which nobody listens. A socket that does
// not listen keeps it from others meanwhile.
func refused(s *stage) {
	_, port := boundSocket(s)
	s.url = fmt.Sprintf("http://127.0.0.1:%d", port)
}

// dropped points the target to a port whose queue of connections is full, so that
// the system drops the packets that ask for more.
func dropped(s *stage) {
	fd, port := boundSocket(s)
	if err := syscall.Listen(fd, 0); err != nil {
		s.t.Fatal(err)
	}
	s.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	// Linux queues one more than it is told. The others go on asking, so that none of the target's finds it free.
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

// boundSocket returns a socket that has a port, and is closed with the stage.
func boundSocket(s *stage) (fd, port int) {
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
