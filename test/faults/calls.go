//go:build linux

package faults

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// attachWithin bounds how long strace may take to get hold of a process.
const attachWithin = 20 * time.Second

// stopWithin is how long strace may take to let go of a process by itself.
const stopWithin = time.Second

// Fault is what becomes of some system calls of a process.
type Fault struct {
	// Calls are their names, separated by commas.
	Calls string
	// Path restricts it to calls on one file or directory; empty means all.
	Path string
	// Effect is what happens, as strace's inject takes it: error=EIO, delay_enter=60s; with :when=N+ from the Nth on.
	Effect string
}

// The faults of a disk. Path may be empty in all of them.

// FailSync has every fsync fail.
func FailSync(path string) Fault {
	return Fault{Calls: "fsync,fdatasync", Path: path, Effect: "error=EIO"}
}

// FailWrite has every write fail with an error such as ENOSPC, EROFS or EIO.
func FailWrite(path, errno string) Fault {
	return Fault{Calls: "write,pwrite64,writev,pwritev,ftruncate,fallocate", Path: path, Effect: "error=" + errno}
}

// HangSync has every fsync take a time. The end of a process that has one under way is not seen before Stop.
func HangSync(path string, d time.Duration) Fault {
	return Fault{Calls: "fsync,fdatasync", Path: path, Effect: fmt.Sprintf("delay_enter=%dms", d.Milliseconds())}
}

// Injection is a fault at work.
type Injection struct {
	command *exec.Cmd
	trace   string
	ended   chan struct{}

	mu       sync.Mutex
	messages bytes.Buffer
}

// Inject attaches strace to a running process, all its threads included, and returns once the fault is in force. It
// lasts until Stop, or until the process ends. Directory holds what strace writes.
func Inject(pid int, fault Fault, directory string) (*Injection, error) {
	file, err := os.CreateTemp(directory, "strace-*.out")
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	args := []string{"-f", "-p", strconv.Itoa(pid), "-o", file.Name(), "-e", "trace=" + fault.Calls, "-e", "inject=" + fault.Calls + ":" + fault.Effect}
	if fault.Path != "" {
		path, err := filepath.EvalSymlinks(fault.Path)
		if err != nil {
			return nil, err
		}
		args = append(args, "-P", path)
	}
	i := &Injection{command: exec.Command("strace", args...), trace: file.Name(), ended: make(chan struct{})}
	// A group of its own: the terminal's Ctrl-C is for the tests.
	i.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	messages, err := i.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := i.command.Start(); err != nil {
		return nil, fmt.Errorf("strace: %w", err)
	}
	attached := make(chan struct{})
	go i.read(messages, attached)
	timer := time.NewTimer(attachWithin)
	defer timer.Stop()
	select {
	case <-attached:
		return i, nil
	case <-i.ended:
		return nil, fmt.Errorf("strace does not attach to process %d: %s", pid, i.said())
	case <-timer.C:
		return nil, errors.Join(fmt.Errorf("strace does not attach to process %d within %s: %s", pid, attachWithin, i.said()), i.Stop())
	}
}

// read follows what strace says until it ends.
func (i *Injection) read(messages io.Reader, attached chan<- struct{}) {
	defer close(i.ended)
	lines, open := bufio.NewScanner(messages), true
	for lines.Scan() {
		i.mu.Lock()
		fmt.Fprintln(&i.messages, lines.Text())
		i.mu.Unlock()
		if open && strings.Contains(lines.Text(), " attached") {
			close(attached)
			open = false
		}
	}
	_ = i.command.Wait() // strace ends with the signal that ended it, or with its process
}

func (i *Injection) said() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return strings.TrimSpace(i.messages.String())
}

// Hits are how many calls were tampered with so far.
func (i *Injection) Hits() (int, error) {
	content, err := os.ReadFile(i.trace)
	return bytes.Count(content, []byte("(INJECTED)")) + bytes.Count(content, []byte("(DELAYED)")), err
}

// Stop lets the process go on without the fault.
func (i *Injection) Stop() error {
	if err := i.command.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("strace: %w", err)
	}
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case <-i.ended:
		return nil
	case <-timer.C:
	}
	// While it delays a call strace hears nothing. Its end lets the process go on.
	if err := i.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("strace: %w", err)
	}
	<-i.ended
	return nil
}
