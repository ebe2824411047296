package main

import "syscall"

// processAttributes: a child gets no Ctrl-C from the terminal, its parent tells it to stop; and it dies with its
// parent, even if that is killed.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
