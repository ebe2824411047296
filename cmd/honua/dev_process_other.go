//go:build !linux

package main

import "syscall"

// processAttributes has nothing to ask for on this system.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
