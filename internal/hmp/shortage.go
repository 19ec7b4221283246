package hmp

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
)

// shortages are the errors of a system that lacks a resource, and what to do.
var shortages = []struct {
	errno  syscall.Errno
	advice string
}{
	{syscall.ENFILE, "the machine has no file descriptor left; raise fs.file-max, or find out which program has so many files open"},
	{syscall.EMFILE, "the exporter has no file descriptor left; raise its limit of open files (LimitNOFILE, ulimit -n)"},
	{syscall.ENOBUFS, "the machine has no memory left for network buffers"},
	{syscall.ENOMEM, "the machine has no memory left"},
	{syscall.EADDRNOTAVAIL, "the machine has no local port left; set keep_alive: true, or widen net.ipv4.ip_local_port_range"},
	{syscall.EAGAIN, "the machine has no resources left for a connection, such as local ports; set keep_alive: true, or probe less at once"},
}

// Shortage says which resource the machine or the exporter lacked, and what to do. It
// returns "" if err has another cause. err comes from opening a file or a connection. The
// result of a shortage is [Saturated].
func Shortage(err error) string {
	dns, isLookup := errors.AsType[*net.DNSError](err)
	for _, s := range shortages {
		// The error of a lookup has only the text of its cause.
		if !errors.Is(err, s.errno) && !(isLookup && strings.HasSuffix(dns.Err, s.errno.Error())) {
			continue
		}
		if s.errno == syscall.EADDRNOTAVAIL && lacksIPv6(err) {
			return ""
		}
		return fmt.Sprintf("%v: %s", s.errno, s.advice)
	}
	return ""
}

// lacksIPv6 reports whether a connection failed because the machine has no IPv6 address for it.
func lacksIPv6(err error) bool {
	op, isOp := errors.AsType[*net.OpError](err)
	if !isOp {
		return false
	}
	to, isTCP := op.Addr.(*net.TCPAddr)
	if !isTCP || to.IP.To4() != nil {
		return false
	}
	addresses, _ := net.InterfaceAddrs()
	return to.IP.IsLoopback() || !slices.ContainsFunc(addresses, func(a net.Addr) bool {
		network, isNetwork := a.(*net.IPNet)
		return isNetwork && network.IP.To4() == nil && network.IP.IsGlobalUnicast()
	})
}
