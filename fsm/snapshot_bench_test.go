package fsm

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"testing"
)

// busy is the state of a large installation: 500 environments with 200
// deployments each, and 2,000 contents of 20 KB.
func busy() *State {
	c := newChange(New(), Entry{}, nil)
	policy := filled[Policy](&counted{})
	policy.Canonical = bytes.Repeat([]byte("x"), 300)
	for e := range 500 {
		env := filled[Environment](&counted{})
		env.Name = fmt.Sprintf("environment-%03d", e)
		c.environments.put(env)
		for range 200 {
			c.putDeployment(busyDeployment(c.ordinal(), env.Name, policy))
		}
	}
	for i := range 2000 {
		content := bytes.Repeat([]byte{byte(i)}, 20_000)
		c.bundles.put(&Bundle{Digest: fmt.Sprintf("%x", sha256.Sum256(content[:1+i])), Compressed: content, RawSize: 80_000, Term: 1, StoredAt: 1})
	}
	return c.commit()
}

func busyDeployment(n uint64, environment string, policy *Policy) *Deployment {
	commit := fmt.Sprintf("%x", sha256.Sum256([]byte{byte(n), byte(n >> 8), byte(n >> 16)}))
	return &Deployment{
		ID: fmt.Sprintf("%s-20261121-%06d", environment, n), Ordinal: n, Environment: environment,
		Commit: commit[:40], Digest: commit, Branch: "main", PreviousCommit: commit[:40],
		Author: "Alice Example", AuthorEmail: "alice@example.org", Message: "Add the roads of the north",
		CommittedAt: 1, ChangedFiles: 2, RelevantFiles: 1, Risk: Low, Plan: make([]byte, 400),
		Contributors: []Contributor{{"Alice Example", "alice@example.org", "author"}},
		State:        Completed, Health: Healthy, InitiatedBy: Watcher, Created: 1, Started: 2, Updated: 3, CompletedAt: 3,
		History: []Transition{
			{StateNone, Pending, PhaseNone, 1, "created"}, {Pending, Applying, Staging, 2, "staging"},
			{Applying, Completed, PhaseNone, 3, "completed"},
		},
		Attempts: 1, Activation: n, EverCompleted: true, Policy: policy, NextPolicy: policy, HasContent: true,
	}
}

func BenchmarkWriteSnapshot(b *testing.B) {
	s := busy()
	b.SetBytes(int64(len(written(b, s))))
	b.ReportAllocs()
	for b.Loop() {
		if err := WriteSnapshot(io.Discard, s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadSnapshot(b *testing.B) {
	data := written(b, busy())
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadSnapshot(bytes.NewReader(data)); err != nil {
			b.Fatal(err)
		}
	}
}
