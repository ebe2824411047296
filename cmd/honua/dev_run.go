package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/internal/scaffold"
)

// devCluster runs a cluster on this machine.
type devCluster struct {
	session    *session
	layout     devLayout
	executable string
	restart    restartPolicy
	roster     *roster
	saying     sync.Mutex
}

func newDevCluster(s *session, layout devLayout, executable string, restart restartPolicy) *devCluster {
	return &devCluster{session: s, layout: layout, executable: executable, restart: restart}
}

// run returns when the context has ended and all nodes have stopped, or when the cluster could not be started.
func (c *devCluster) run(ctx context.Context) error {
	if err := os.MkdirAll(c.layout.dir, 0o755); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	unlock, err := lockDirectory(c.layout.dir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.layout.checkPorts(ctx); err != nil {
		return err
	}
	if err := c.prepare(); err != nil {
		return err
	}
	return c.supervise(ctx)
}

// prepare makes what the nodes need: repository, data and settings.
func (c *devCluster) prepare() error {
	l := &c.layout
	_, err := os.Stat(filepath.Join(l.repo, ".git"))
	switch {
	case err == nil:
	case !l.ownRepo:
		return fmt.Errorf("--repo %s is not a Git working tree; 'honua init' makes one", l.repo)
	default:
		if l.scaffolded, err = createRepository(l.repo, author{name: devIdentity, email: "dev@localhost"}, l.content()); err != nil {
			return err
		}
		c.say("made a configuration repository with an example in %s", l.repo)
	}
	if err := scaffold.WriteCities(l.dataDirectory()); err != nil {
		return err
	}
	if err := l.writeSettings(); err != nil {
		return err
	}
	l.record.Scaffolded = l.scaffolded
	return writeFileAtomically(l.recordFile(), l.record)
}

// supervise runs the nodes until the context ends. Everything that it starts has ended when it returns.
func (c *devCluster) supervise(ctx context.Context) error {
	running, stop := context.WithCancelCause(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer stop(nil)
	c.roster = newRoster(c.layout, lockedWriter{&c.saying, c.session.out}, c.restart)
	c.roster.stopping = func() bool { return running.Err() != nil }
	c.roster.failed = func(err error) { stop(err) }
	c.say("starting %d nodes", len(c.layout.nodes))
	began := time.Now()
	for _, node := range c.layout.nodes {
		v := &supervisor{
			node: node, executable: c.executable, restart: c.restart,
			started: func(pid int) { c.roster.started(node, pid) },
			died:    func(reason string) { c.roster.died(node, reason) },
		}
		all.Go(func() { v.run(running) })
	}
	all.Go(func() {
		if err := c.approveScaffold(running); err != nil {
			c.say("the first commit could not be approved: %v", err)
		}
	})
	if err := c.awaitReady(running); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	c.roster.begin()
	c.welcome(running, time.Since(began))
	<-running.Done()
	c.say("stopping %d nodes", len(c.layout.nodes))
	if cause := context.Cause(running); ctx.Err() == nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// say prints one line with the time.
func (c *devCluster) say(format string, args ...any) {
	c.saying.Lock()
	defer c.saying.Unlock()
	fmt.Fprintf(c.session.out, "%s  %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}
