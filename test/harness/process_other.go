//go:build unix && !linux

package harness

import "syscall"

// processAttributes: a group of its own, so that the terminal's Ctrl-C goes to the tests alone.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
