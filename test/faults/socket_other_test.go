//go:build !linux

package faults

// These faults need sockets of Linux. Elsewhere their rows fail.
func refused(s *setup) { s.t.Fatal("needs Linux") }
func dropped(s *setup) { s.t.Fatal("needs Linux") }
