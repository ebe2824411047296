package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// stopWithin is how long a node may take to stop before it is killed.
const stopWithin = 10 * time.Second

// restartPolicy says what happens to a node that has died.
type restartPolicy struct {
	never bool
	// after is how long it stays down.
	after time.Duration
}

// supervisor keeps one node running.
type supervisor struct {
	node       devNode
	executable string
	restart    restartPolicy
	// started is called with a process's id, died when one has ended that nobody asked to.
	started func(pid int)
	died    func(reason string)
}

// run returns when the context has ended and the process has stopped. It stays on one thread: what makes a child die
// with its parent is bound to the thread that started it.
func (v *supervisor) run(ctx context.Context) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for ctx.Err() == nil {
		v.died(v.once(ctx))
		if ctx.Err() != nil {
			return
		}
		if v.restart.never {
			<-ctx.Done()
			return
		}
		rest(ctx, v.restart.after)
	}
}

// once runs the process to its end and says how it ended.
func (v *supervisor) once(ctx context.Context) string {
	log, err := os.OpenFile(v.node.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err.Error()
	}
	command := exec.CommandContext(ctx, v.executable, "server", "--config", v.node.configFile())
	command.Stdout, command.Stderr = log, log
	// When the context ends the process is asked to stop, and killed if it does not in time.
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = stopWithin
	command.SysProcAttr = processAttributes()
	err = command.Start()
	// The child has its own descriptor of the file.
	_ = log.Close()
	if err != nil {
		return err.Error()
	}
	v.started(command.Process.Pid)
	if err := command.Wait(); err != nil {
		return err.Error()
	}
	return "exit status 0"
}

// logTail is the end of a node's log, to show why it did not start.
func logTail(node devNode) string {
	const most = 2000
	content, err := os.ReadFile(node.logFile())
	if err != nil {
		return err.Error()
	}
	if len(content) > most {
		content = content[len(content)-most:]
	}
	return fmt.Sprintf("--- end of %s\n%s", node.logFile(), safe(string(content)))
}
