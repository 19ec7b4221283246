//go:build !linux

package faults

// What these do with sockets is written for Linux. Without that, the test of the row fails.
func refused(s *stage) { s.t.Fatal("needs Linux") }
func dropped(s *stage) { s.t.Fatal("needs Linux") }
