package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// copyDirectory copies what a node keeps.
func copyDirectory(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// A node that was set back to an older copy of its disk takes no part: not with those who saw it go on, and not once
// they were restarted. As an empty node it learns, and votes again.
func TestOldDiskIsRefused(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		l.awaitLeader()
		old := l.followers()[0]
		saved := filepath.Join(l.dir, "copy")
		if err := old.stop(); err != nil {
			l.t.Fatal(err)
		}
		copyDirectory(l.t, old.cfg.DataDirectory, saved)
		old.start()
		l.settle(old)
		for range 5 {
			ms[0].mustPropose(newUUID())
		}
		l.settle(ms[:]...)
		time.Sleep(compareInterval) // the others hear how far it has come
		refused := func(when string) {
			copyDirectory(l.t, saved, old.cfg.DataDirectory)
			old.start()
			err := <-old.done
			old.done <- err
			if !errors.Is(err, ErrOldDisk) || !strings.Contains(err.Error(), "empty Cluster.DataDirectory") {
				l.t.Errorf("%s it ends with %v", when, err)
			}
			if old.node.transport.stream.vetted.Load() {
				l.t.Errorf("%s its transport was open", when)
			}
			_ = old.stop()
		}
		if err := old.stop(); err != nil {
			l.t.Fatal(err)
		}
		refused("while the others run on")
		for _, m := range ms {
			if m != old {
				if err := m.stop(); err != nil {
					l.t.Fatal(err)
				}
				m.start()
			}
		}
		refused("after the others were restarted")
		if err := os.RemoveAll(old.cfg.DataDirectory); err != nil {
			l.t.Fatal(err)
		}
		old.start()
		l.eventually(time.Minute, "the emptied node votes", func() bool {
			s, ok := ms[0].node.server(old.cfg.NodeID)
			return ok && s.Suffrage == raft.Voter && old.node.Status().CaughtUp
		})
	})
}

// While nobody can say whether its disk is what it was, a node votes for nobody; it goes on as soon as enough answer.
func TestUnvettedNodeIsSilent(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		l.awaitLeader()
		for _, m := range ms {
			m.kill()
		}
		ms[0].start()
		time.Sleep(30 * time.Second)
		if ms[0].node.raft.Load() == nil {
			l.t.Fatal("it has not started raft")
		}
		if ms[0].node.transport.stream.vetted.Load() || ms[0].node.Status().State == StateLeader {
			l.t.Error("it takes part although nobody vouches for its disk")
		}
		ms[1].start()
		l.eventually(10*time.Second, "two of three go on", func() bool { return l.leader() != nil })
	})
}
