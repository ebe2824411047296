//go:build linux

// Package cell runs a program in namespaces of its own: processes, mounts and networks that nothing outside sees and
// that the kernel removes when the program ends, however it ends.
package cell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// initCommand is the first argument of the process that is the cell's first.
const initCommand = "cell-init"

// endWithin is how long the program in a cell may take to end after it was asked to.
const endWithin = 90 * time.Second

// Run runs this program again in a cell, with these arguments, and returns its exit code. When the context ends the
// program is asked to end; when this process ends, so does the cell.
func Run(ctx context.Context, args ...string) (int, error) {
	// What makes a child die with its parent is bound to the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command := exec.CommandContext(ctx, "/proc/self/exe", append([]string{initCommand}, args...)...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET, Setpgid: true, Pdeathsig: syscall.SIGKILL,
	}
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = endWithin
	err := command.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return exit.ExitCode(), nil
	case errors.Is(err, os.ErrPermission):
		return 0, fmt.Errorf("making namespaces: %w: this needs root", err)
	}
	return 0, fmt.Errorf("making namespaces: %w", err)
}

// Init does what the first process of a cell has to, if this process is it, and does not return then. A program that
// uses Run calls it before anything else.
func Init() {
	if len(os.Args) < 2 || os.Args[1] != initCommand {
		return
	}
	code, err := first(os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "the cell:", err)
		code = 1
	}
	os.Exit(code)
}

// first prepares the cell, starts the program and buries whatever dies in the cell until the program has ended.
func first(args []string) (int, error) {
	for _, m := range []struct {
		what, where, kind string
		flags             uintptr
	}{
		{"", "/", "", unix.MS_REC | unix.MS_PRIVATE},
		// Hosts have mounts of their own (ip netns exec): what is unmounted here has to go there as well.
		{"", "/", "", unix.MS_REC | unix.MS_SHARED},
		{"proc", "/proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
		{"tmpfs", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV},
	} {
		if err := unix.Mount(m.what, m.where, m.kind, m.flags, ""); err != nil {
			return 0, fmt.Errorf("mounting %s: %w", m.where, err)
		}
	}
	requests := make(chan os.Signal, 1)
	signal.Notify(requests, syscall.SIGTERM, syscall.SIGINT)
	executable, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return 0, err
	}
	program, err := os.StartProcess(executable, append([]string{os.Args[0]}, args...), &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		return 0, err
	}
	go func() {
		for range requests {
			_ = program.Signal(syscall.SIGTERM)
		}
	}()
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, fmt.Errorf("waiting: %w", err)
		case pid == program.Pid && status.Signaled():
			return 0, fmt.Errorf("the program was ended by %v", status.Signal())
		case pid == program.Pid:
			return status.ExitStatus(), nil
		}
	}
}
