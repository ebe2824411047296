// Package history is what a round leaves for the checks: append-only files of JSON lines, each written by one recorder
// with one clock. Times are nanoseconds since the round began.
package history

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/test/chaos/plan"
)

// The files of a round, beside the nodes' folders.
const (
	RoundFile  = "round.json"
	CallsFile  = "calls.jsonl"
	PollsFile  = "polls.jsonl"
	FaultsFile = "faults.jsonl"
)

// Kind is what a client did.
type Kind string

// What clients do.
const (
	Commit   Kind = "commit"
	Approve  Kind = "approve"
	Reject   Kind = "reject"
	Rollback Kind = "rollback"
	Pause    Kind = "pause"
	Resume   Kind = "resume"
	// ReadEnvironment and ReadDeployment are linearizable reads.
	ReadEnvironment Kind = "read environment"
	ReadDeployment  Kind = "read deployment"
)

// Outcome is how a call ended.
type Outcome string

// The outcomes. Unknown calls may be executed at any time after they began, or never.
const (
	OK          Outcome = "ok"
	Refused     Outcome = "refused"
	NotExecuted Outcome = "not executed"
	Unknown     Outcome = "unknown"
)

// Call is one operation of a client.
type Call struct {
	Client      int           `json:"client"`
	Kind        Kind          `json:"kind"`
	Environment string        `json:"environment"`
	Deployment  string        `json:"deployment,omitempty"`
	Actor       string        `json:"actor,omitempty"`
	RequestID   string        `json:"requestId,omitempty"`
	Reason      string        `json:"reason,omitempty"`
	Commit      string        `json:"commit,omitempty"`
	Node        string        `json:"node,omitempty"`
	Called      time.Duration `json:"called"`
	Returned    time.Duration `json:"returned"`
	Outcome     Outcome       `json:"outcome"`
	Error       string        `json:"error,omitempty"`
	// AppliedIndex is what the answer says of itself.
	AppliedIndex uint64 `json:"appliedIndex,omitempty"`
	Seen         *Seen  `json:"seen,omitempty"`
}

// Read reports whether the call changes nothing.
func (c Call) Read() bool { return c.Kind == ReadEnvironment || c.Kind == ReadDeployment }

// Seen is what a read returned.
type Seen struct {
	Sequence   uint64 `json:"sequence,omitempty"`
	Activation uint64 `json:"activation,omitempty"`
	Digest     string `json:"digest,omitempty"`
	// Pause is the reason of the pause; empty if there is none.
	Pause string `json:"pause,omitempty"`
	// State and the rest are of a deployment.
	State string `json:"state,omitempty"`
	// Steps is the length of its history, Rounds how often approval was asked for.
	Steps     int      `json:"steps,omitempty"`
	Rounds    int      `json:"rounds,omitempty"`
	Approvals []string `json:"approvals,omitempty"`
}

// Poll is what a node answered over HTTP from one time to another, without a change.
type Poll struct {
	Node        string        `json:"node"`
	Environment string        `json:"environment"`
	From        time.Duration `json:"from"`
	To          time.Duration `json:"to"`
	Count       int           `json:"count"`
	// Digest is what the answers named; empty if there was none.
	Digest string `json:"digest,omitempty"`
	Status int    `json:"status,omitempty"`
	Error  string `json:"error,omitempty"`
}

// Applied is a fault that was done.
type Applied struct {
	plan.Fault
	// Hit are the nodes that it was done to; Done is false where there was nobody to do it to.
	Hit  []string `json:"hit,omitempty"`
	Done bool     `json:"done"`
	// Term is that of the leader that it was done to; 0 if it was done to others. One that leads no more, and was not
	// succeeded yet, counts as the leader that it was.
	Term uint64        `json:"term,omitempty"`
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
	Note string        `json:"note,omitempty"`
}

// Round is what a round was, and what its end looked like to those who were there.
type Round struct {
	Seed         uint64        `json:"seed"`
	Nodes        []string      `json:"nodes"`
	Environments []Environment `json:"environments"`
	Length       time.Duration `json:"length"`
	// Faults is how long faults were done; the rest healed and drained.
	Faults time.Duration `json:"faults"`
	// Commits are all commits of the repository.
	Commits []string `json:"commits"`
	// Rewrites is how often the branch was rewritten.
	Rewrites int `json:"rewrites"`
	// Ends is what each node said when everything had come to rest.
	Ends []End `json:"ends"`
	// Leaders are the times at which another node led.
	Leaders []Leader `json:"leaders"`
	// Planted is the defect that was built in on purpose.
	Planted string `json:"planted,omitempty"`
}

// Environment is what the round's configuration says of an environment.
type Environment struct {
	Name string `json:"name"`
	// Approvers is how many have to approve each deployment; 0: none.
	Approvers int `json:"approvers"`
}

// End is a node's state as it says itself.
type End struct {
	Node  string `json:"node"`
	Index uint64 `json:"index"`
	Hash  string `json:"hash"`
}

// Leader is who led from a time on.
type Leader struct {
	At   time.Duration `json:"at"`
	Node string        `json:"node"`
	Term uint64        `json:"term"`
}

// Writer appends to one file. It may be used by many goroutines.
type Writer struct {
	mu   sync.Mutex
	file *os.File
	err  error
}

// Create makes a file for lines.
func Create(path string) (*Writer, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &Writer{file: file}, nil
}

// Write appends a line. The first error is what Close returns.
func (w *Writer) Write(line any) {
	content, err := json.Marshal(line)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		_, err = w.file.Write(append(content, '\n'))
	}
	w.err = errors.Join(w.err, err)
}

// Close ends the file.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.err, w.file.Close())
}

// Read reads a file of lines. A last line that is not whole is left out: its writer was ended.
func Read[T any](path string) ([]T, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []T
	reader := bufio.NewReader(file)
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		var entry T
		if err == nil {
			err = json.Unmarshal(line, &entry)
		}
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, len(all)+1, err)
		}
		all = append(all, entry)
	}
}

// WriteRound writes what a round was.
func WriteRound(dir string, r Round) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, RoundFile), append(content, '\n'), 0o600)
}

// ReadRound reads what a round was.
func ReadRound(dir string) (r Round, err error) {
	content, err := os.ReadFile(filepath.Join(dir, RoundFile))
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(content, &r)
}
