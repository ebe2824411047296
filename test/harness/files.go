//go:build unix

package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/honua-io/honua-gitops/reconciler/node"
)

// Journal reads the node's activation journal; a line that is still being written is left out.
func (n *Node) Journal() ([]node.Entry, error) {
	content, err := os.ReadFile(filepath.Join(n.Dir, "cluster", "journal.jsonl"))
	if err != nil {
		return nil, err
	}
	var entries []node.Entry
	for line := range bytes.Lines(content) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		entry, err := node.ParseEntry(line)
		if err != nil {
			return nil, fmt.Errorf("%s, journal line %d: %w", n.ID, len(entries)+1, err)
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// State is what a state file says, as far as scripts read it.
type State struct {
	Environment              string           `json:"environment"`
	CurrentDeployment        *StateDeployment `json:"currentDeployment"`
	LastSuccessfulDeployment *StateDeployment `json:"lastSuccessfulDeployment"`
	DeployedCommit           string           `json:"deployedCommit"`
	LatestCommit             string           `json:"latestCommit"`
	Health                   string           `json:"health"`
	SyncStatus               string           `json:"syncStatus"`
	LastUpdated              string           `json:"lastUpdated"`
	History                  []StateDeployment
}

// StateDeployment is a deployment in a state file.
type StateDeployment struct {
	ID           string `json:"id"`
	Commit       string `json:"commit"`
	Branch       string `json:"branch"`
	State        string `json:"state"`
	Health       string `json:"health"`
	SyncStatus   string `json:"syncStatus"`
	InitiatedBy  string `json:"initiatedBy"`
	StartedAt    string `json:"startedAt"`
	CompletedAt  string `json:"completedAt"`
	ErrorMessage string `json:"errorMessage"`
	StateHistory []struct {
		From      string `json:"from"`
		To        string `json:"to"`
		Timestamp string `json:"timestamp"`
		Message   string `json:"message"`
	} `json:"stateHistory"`
}

// KeptState is what somebody kept of a server that was there before: a state file of production.
const KeptState = `{"environment": "production", "deployedCommit": "0123456789", "health": "Healthy", "syncStatus": "Synced",
 "lastUpdated": "2025-10-23T14:30:24Z", "history": [{"id": "production-20251023-143022", "commit": "0123456789", "state": "Completed",
 "startedAt": "2025-10-23T14:30:22Z", "completedAt": "2025-10-23T14:30:24Z"}]}`

// StateFile is the path of an environment's state file.
func (n *Node) StateFile(environment string) string {
	return filepath.Join(n.Dir, "state", environment+".json")
}

// State reads an environment's state file.
func (n *Node) State(environment string) (State, error) {
	var state State
	content, err := os.ReadFile(n.StateFile(environment))
	if err == nil {
		err = json.Unmarshal(content, &state)
	}
	return state, err
}

// Approval is what the file of an asked approval says.
type Approval struct {
	DeploymentID string `json:"deploymentId"`
	Environment  string `json:"environment"`
	State        string `json:"state"`
	Responder    string `json:"responder"`
	RespondedAt  string `json:"respondedAt"`
}

// Approval reads the file of a deployment's approval.
func (n *Node) Approval(deployment string) (Approval, error) {
	var approval Approval
	content, err := os.ReadFile(filepath.Join(n.Dir, "approvals", deployment+".json"))
	if err == nil {
		err = json.Unmarshal(content, &approval)
	}
	return approval, err
}
