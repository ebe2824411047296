package node

import (
	"encoding/json"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// fileHistory is how many deployments a state file shows.
const fileHistory = 50

// stateFile is {StateDirectory}/{environment}.json; the field names are part of
// the outside contract.
type stateFile struct {
	Environment              string           `json:"environment"`
	CurrentDeployment        *deploymentFile  `json:"currentDeployment"`
	LastSuccessfulDeployment *deploymentFile  `json:"lastSuccessfulDeployment"`
	DeployedCommit           string           `json:"deployedCommit"`
	LatestCommit             string           `json:"latestCommit"`
	Health                   string           `json:"health"`
	HealthMessage            string           `json:"healthMessage,omitempty"`
	SyncStatus               string           `json:"syncStatus"`
	LastUpdated              *string          `json:"lastUpdated"`
	History                  []deploymentFile `json:"history"`
}

type deploymentFile struct {
	ID           string           `json:"id"`
	Environment  string           `json:"environment"`
	Commit       string           `json:"commit"`
	Branch       string           `json:"branch"`
	Author       string           `json:"author,omitempty"`
	Message      string           `json:"message,omitempty"`
	State        string           `json:"state"`
	Phase        string           `json:"phase,omitempty"`
	Health       string           `json:"health"`
	SyncStatus   string           `json:"syncStatus"`
	StartedAt    *string          `json:"startedAt"`
	UpdatedAt    *string          `json:"updatedAt"`
	CompletedAt  *string          `json:"completedAt"`
	InitiatedBy  string           `json:"initiatedBy"`
	ErrorMessage *string          `json:"errorMessage"`
	StateHistory []transitionFile `json:"stateHistory,omitempty"`
}

type transitionFile struct {
	From      *string `json:"from"`
	To        string  `json:"to"`
	Phase     string  `json:"phase,omitempty"`
	Timestamp *string `json:"timestamp"`
	Message   string  `json:"message"`
}

// renderState is the view of an environment as people and scripts read it.
func renderState(state *fsm.State, env *fsm.Environment) ([]byte, error) {
	file := stateFile{
		Environment:   env.Name,
		LatestCommit:  env.LatestCommit,
		Health:        env.Health.String(),
		HealthMessage: env.HealthMessage,
		SyncStatus:    fsm.SyncOf(env).String(),
		LastUpdated:   fileTime(env.LastPoll),
		History:       []deploymentFile{},
	}
	if env.Active != nil {
		file.DeployedCommit = env.Active.Commit
	}
	if d := state.Deployment(env.CurrentID); d != nil {
		shown := deploymentView(d, true)
		file.CurrentDeployment = &shown
	}
	if d := state.Deployment(env.LastCompletedID); d != nil {
		shown := deploymentView(d, true)
		file.LastSuccessfulDeployment = &shown
	}
	for d := range state.Deployments(env.Name) {
		if len(file.History) == fileHistory {
			break
		}
		file.History = append(file.History, deploymentView(d, false))
	}
	content, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(content, '\n'), nil
}

func deploymentView(d *fsm.Deployment, history bool) deploymentFile {
	view := deploymentFile{
		ID: d.ID, Environment: d.Environment, Commit: d.Commit, Branch: d.Branch, Author: d.Author,
		Message: d.Message, State: d.State.String(), Phase: d.Phase.String(), Health: d.Health.String(),
		SyncStatus: fsm.SyncOfDeployment(d).String(), InitiatedBy: d.InitiatedBy,
		StartedAt: fileTime(startOf(d)), UpdatedAt: fileTime(d.Updated), CompletedAt: fileTime(d.CompletedAt),
		ErrorMessage: fileText(d.Error),
	}
	if !history {
		return view
	}
	for _, t := range d.History {
		view.StateHistory = append(view.StateHistory, transitionFile{
			From: fileText(t.From.String()), To: t.To.String(), Phase: t.Phase.String(), Timestamp: fileTime(t.At), Message: t.Message,
		})
	}
	return view
}

// startOf is when work on a deployment began: its first step if it never was applied.
func startOf(d *fsm.Deployment) int64 {
	if d.Started != 0 {
		return d.Started
	}
	return d.Created
}

// fileTime is RFC 3339 in UTC, nil for never.
func fileTime(ms int64) *string {
	if ms == 0 {
		return nil
	}
	text := time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
	return &text
}

func fileText(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// approvalFile is {ApprovalDirectory}/{deploymentId}.json.
type approvalFile struct {
	DeploymentID string   `json:"deploymentId"`
	Environment  string   `json:"environment"`
	Commit       string   `json:"commit"`
	State        string   `json:"state"`
	Responder    *string  `json:"responder"`
	RespondedAt  *string  `json:"respondedAt"`
	Reason       *string  `json:"reason"`
	RequestedAt  *string  `json:"requestedAt"`
	ExpiresAt    *string  `json:"expiresAt"`
	Required     uint32   `json:"requiredApprovers"`
	Reasons      []string `json:"reasons"`
	// PreviousCommit is what is deployed; a rewritten branch lost RewrittenAway.
	PreviousCommit string             `json:"previousCommit,omitempty"`
	Rewritten      bool               `json:"rewritten,omitempty"`
	RewrittenAway  []string           `json:"rewrittenAway,omitempty"`
	Approvals      []approvalDecision `json:"approvals"`
}

type approvalDecision struct {
	Approver string  `json:"approver"`
	At       *string `json:"at"`
	Comment  string  `json:"comment,omitempty"`
}

// renderApproval is the view of one approval that was asked for.
func renderApproval(d *fsm.Deployment) ([]byte, error) {
	file := approvalFile{
		DeploymentID: d.ID, Environment: d.Environment, Commit: d.Commit, State: approvalState(d),
		RequestedAt: fileTime(d.AwaitingSince), ExpiresAt: fileTime(d.ApprovalExpires()), Required: d.Required,
		Reasons: d.ApprovalReasons, Approvals: []approvalDecision{},
		PreviousCommit: d.PreviousCommit, Rewritten: d.Rewritten, RewrittenAway: d.RewrittenAway,
	}
	for _, a := range d.Approvals {
		file.Approvals = append(file.Approvals, approvalDecision{Approver: a.Approver, At: fileTime(a.At), Comment: a.Comment})
		file.Responder, file.RespondedAt = fileText(a.Approver), fileTime(a.At)
	}
	if d.State == fsm.Failed {
		file.Reason, file.RespondedAt = fileText(d.Error), fileTime(d.Updated)
	}
	content, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(content, '\n'), nil
}

func approvalState(d *fsm.Deployment) string {
	switch {
	case d.State == fsm.AwaitingApproval:
		return "Pending"
	case d.Overridden:
		return "Overridden"
	case d.ReasonCode == "rejected":
		return "Rejected"
	case d.ReasonCode == "approval_timeout":
		return "Expired"
	case d.State == fsm.Superseded:
		return "Superseded"
	case uint32(len(d.Approvals)) >= d.Required:
		return "Approved"
	default:
		return "Cancelled"
	}
}
