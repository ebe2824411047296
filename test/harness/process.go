//go:build unix

package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// stopWithin is how long a process may take to end after SIGTERM before it is killed.
const stopWithin = 20 * time.Second

// Process is a program that the harness started.
type Process struct {
	// PID is the process's id.
	PID int

	ended chan struct{}
	mu    sync.Mutex
	err   error
}

// StartProcess starts a command whose output goes to the end of a file. It dies with the test process, even if that
// is killed.
func StartProcess(command *exec.Cmd, output string) (*Process, error) {
	file, err := os.OpenFile(output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	command.Stdout, command.Stderr = file, file
	command.SysProcAttr = processAttributes()
	p := &Process{ended: make(chan struct{})}
	started := make(chan error, 1)
	go p.run(command, file, started)
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// run stays on one thread: what makes a child die with its parent is bound to the thread that started it.
func (p *Process) run(command *exec.Cmd, output *os.File, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := command.Start()
	_ = output.Close() // the child has its own descriptor
	if err != nil {
		started <- err
		return
	}
	p.PID = command.Process.Pid
	started <- nil
	err = command.Wait()
	p.mu.Lock()
	p.err = err
	p.mu.Unlock()
	close(p.ended)
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Running reports whether the process has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Kill ends the process with SIGKILL and waits for its end.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// Stop asks the process to end with a signal and waits. An error says that it had to be killed, or how it failed.
func (p *Process) Stop(signal syscall.Signal) error {
	p.signal(signal)
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		p.Kill()
		return fmt.Errorf("process %d did not end within %s of %v", p.PID, stopWithin, signal)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// signal leaves a process alone whose end has been seen: its id may be another's by now.
func (p *Process) signal(signal syscall.Signal) {
	if !p.Running() {
		return
	}
	if err := syscall.Kill(p.PID, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		panic(fmt.Sprintf("signal process %d: %v", p.PID, err))
	}
}
