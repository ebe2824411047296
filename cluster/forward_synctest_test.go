package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// envelope is a command as nodes send it on.
func envelope(t *testing.T, c Command) []byte {
	t.Helper()
	data, err := fsm.Encode(fsm.Header{
		RequestID: c.RequestID, IssuedAt: c.IssuedAt, Caller: c.Caller, ProposedAt: time.Now().UnixMilli(),
	}, c.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A node that sends a command on has applied it as soon as the leader has answered, not a commit interval later.
func TestForwardedCommandIsAppliedAtOnce(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		l.awaitLeader()
		follower := l.followers()[0]
		for i := range 20 {
			time.Sleep(100 * time.Millisecond)
			begun := time.Now()
			result := follower.mustPropose(fmt.Sprint("write-", i))
			if _, err := follower.node.Store().Wait(l.t.Context(), result.Index); err != nil {
				l.t.Fatal(err)
			}
			if took := time.Since(begun); took >= commitTimeout/2 {
				l.t.Errorf("write %d was applied here after %s", i, took)
			}
		}
	})
}

// What the leader half says is awaited reaches every node at once; what it does not may take a commit interval.
func TestAwaitedDecisionIsAppliedAtOnce(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader := l.awaitLeader()
		term := leader.node.leading.Load().number
		for i := range 20 {
			time.Sleep(100 * time.Millisecond)
			command := poll("")
			command.Term, command.Awaited = term, true
			begun := time.Now()
			result, err := leader.node.Propose(l.t.Context(), command)
			if err != nil {
				l.t.Fatal(err)
			}
			for _, follower := range l.followers() {
				if _, err := follower.node.Store().Wait(l.t.Context(), result.Index); err != nil {
					l.t.Fatal(err)
				}
			}
			if took := time.Since(begun); took >= commitTimeout/2 {
				l.t.Errorf("decision %d was applied everywhere after %s", i, took)
			}
		}
	})
}

// A command that reaches a node between its election and its barrier waits there: it is not sent away to come back
// later.
func TestCommandWaitsForTheBarrier(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader := l.awaitLeader()
		lead := leader.node.leading.Swap(nil)
		done := make(chan error, 1)
		go func() {
			_, err := leader.node.proposeHere(l.t.Context(), envelope(l.t, poll("early")), 0)
			done <- err
		}()
		time.Sleep(time.Second)
		select {
		case err := <-done:
			l.t.Fatalf("it did not wait: %v", err)
		default:
		}
		leader.node.leading.Store(lead)
		leader.node.leaders.notify()
		if err := <-done; err != nil {
			l.t.Error(err)
		}
	})
}
