package harness

import "syscall"

// processAttributes: a group of its own, so that the terminal's Ctrl-C goes to the tests alone, and the end with this
// process at the latest.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
