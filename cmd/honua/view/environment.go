package view

import (
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Environment is what one environment serves and is asked to serve.
type Environment struct {
	Name                       string      `json:"name"`
	Branch                     string      `json:"branch"`
	DeployedCommit             string      `json:"deployedCommit"`
	LatestCommit               string      `json:"latestCommit"`
	SyncedCommit               string      `json:"syncedCommit"`
	ActiveDigest               string      `json:"activeDigest"`
	ActivationIndex            uint64      `json:"activationIndex"`
	ActiveDeploymentID         string      `json:"activeDeploymentId"`
	LastSuccessfulDeploymentID string      `json:"lastSuccessfulDeploymentId"`
	CurrentDeployment          *Deployment `json:"currentDeployment"`
	Operation                  *Operation  `json:"operation"`
	LastOutcome                *Outcome    `json:"lastOutcome"`
	Health                     string      `json:"health"`
	HealthMessage              string      `json:"healthMessage"`
	SyncStatus                 string      `json:"syncStatus"`
	LastUpdated                *Time       `json:"lastUpdated"`
	PollError                  string      `json:"pollError"`
	Pause                      *Pause      `json:"pause"`
	Holds                      []Hold      `json:"holds"`
	PolicyDigest               string      `json:"policyDigest"`
	Sequence                   uint64      `json:"sequence"`
	Reconciliations            uint64      `json:"reconciliations"`
	ReconciliationFailures     uint64      `json:"reconciliationFailures"`
	ServedBy                   []Served    `json:"servedBy"`
}

// Operation is one content on its way onto the nodes.
type Operation struct {
	ID               uint64     `json:"id"`
	Kind             string     `json:"kind"`
	DeploymentID     string     `json:"deploymentId"`
	TargetID         string     `json:"targetId"`
	Phase            string     `json:"phase"`
	AwaitingApproval bool       `json:"awaitingApproval"`
	Approvals        []Approval `json:"approvals"`
	Automatic        bool       `json:"automatic"`
	Actor            string     `json:"actor"`
	Reason           string     `json:"reason"`
	BegunAt          *Time      `json:"begunAt"`
	Deadline         *Time      `json:"deadline"`
}

// Outcome is how an operation ended.
type Outcome struct {
	OperationID  uint64 `json:"operationId"`
	Kind         string `json:"kind"`
	DeploymentID string `json:"deploymentId"`
	TargetID     string `json:"targetId"`
	OK           bool   `json:"ok"`
	Message      string `json:"message"`
	At           *Time  `json:"at"`
}

// Pause says that nothing new is applied.
type Pause struct {
	Reason string `json:"reason"`
	Actor  string `json:"actor"`
	Since  *Time  `json:"since"`
	Until  *Time  `json:"until"`
}

// Hold keeps a content from being deployed.
type Hold struct {
	Digest       string `json:"digest"`
	Commit       string `json:"commit"`
	Reason       string `json:"reason"`
	DeploymentID string `json:"deploymentId"`
	Since        *Time  `json:"since"`
}

// Served is what one node serves of an environment.
type Served struct {
	Environment     string `json:"environment,omitempty"`
	NodeID          string `json:"nodeId"`
	ActivationIndex uint64 `json:"activationIndex"`
	Digest          string `json:"digest"`
	Available       bool   `json:"available"`
	Message         string `json:"message"`
}

// EnvironmentList is the answer of `environment list`.
type EnvironmentList struct {
	Environments []Environment `json:"environments"`
	Freeze       *Pause        `json:"freeze"`
	AppliedIndex uint64        `json:"appliedIndex"`
}

// Activation is one entry of the list of what an environment served.
type Activation struct {
	Index        uint64 `json:"index"`
	Epoch        uint64 `json:"epoch"`
	Kind         string `json:"kind"`
	DeploymentID string `json:"deploymentId"`
	Commit       string `json:"commit"`
	Digest       string `json:"digest"`
	At           *Time  `json:"at"`
	Reason       string `json:"reason"`
	Actor        string `json:"actor"`
}

// ActivationList is the answer of `environment history`.
type ActivationList struct {
	Activations   []Activation `json:"activations"`
	AppliedIndex  uint64       `json:"appliedIndex"`
	NextPageToken string       `json:"nextPageToken,omitempty"`
}

// NewEnvironment converts an environment.
func NewEnvironment(e *pb.Environment) Environment {
	view := Environment{
		Name: e.GetName(), Branch: e.GetBranch(), DeployedCommit: e.GetDeployedCommit(),
		LatestCommit: e.GetLatestCommit(), SyncedCommit: e.GetSyncedCommit(), ActiveDigest: e.GetActiveDigest(),
		ActivationIndex: e.GetActivationIndex(), ActiveDeploymentID: e.GetActiveDeploymentId(),
		LastSuccessfulDeploymentID: e.GetLastSuccessfulDeploymentId(),
		Health:                     orUnknown(e.GetHealth()), HealthMessage: e.GetHealthMessage(), SyncStatus: orUnknown(e.GetSyncStatus()),
		LastUpdated: moment(e.GetLastUpdated()), PollError: e.GetPollError(), Pause: NewPause(e.GetPause()),
		Holds: each(e.GetHolds(), newHold), PolicyDigest: e.GetPolicyDigest(), Sequence: e.GetSequence(),
		Reconciliations: e.GetReconciliations(), ReconciliationFailures: e.GetReconciliationFailures(),
		ServedBy: each(e.GetServedBy(), newServed),
	}
	if e.GetCurrentDeployment() != nil {
		current := NewDeployment(e.GetCurrentDeployment())
		view.CurrentDeployment = &current
	}
	view.Operation, view.LastOutcome = newOperation(e.GetOperation()), newOutcome(e.GetLastOutcome())
	return view
}

func newOperation(o *pb.Operation) *Operation {
	if o == nil {
		return nil
	}
	return &Operation{
		ID: o.GetId(), Kind: o.GetKind(), DeploymentID: o.GetDeploymentId(), TargetID: o.GetTargetId(), Phase: Name(o.GetPhase()),
		AwaitingApproval: o.GetAwaitingApproval(), Approvals: each(o.GetApprovals(), newApproval), Automatic: o.GetAutomatic(),
		Actor: o.GetActor(), Reason: o.GetReason(), BegunAt: moment(o.GetBegunAt()), Deadline: moment(o.GetDeadline()),
	}
}

func newOutcome(o *pb.Outcome) *Outcome {
	if o == nil {
		return nil
	}
	return &Outcome{
		OperationID: o.GetOperationId(), Kind: o.GetKind(), DeploymentID: o.GetDeploymentId(), TargetID: o.GetTargetId(),
		OK: o.GetOk(), Message: o.GetMessage(), At: moment(o.GetAt()),
	}
}

// NewEnvironmentList converts a list.
func NewEnvironmentList(list []*pb.Environment, freeze *pb.Pause, index uint64) EnvironmentList {
	return EnvironmentList{Environments: each(list, NewEnvironment), Freeze: NewPause(freeze), AppliedIndex: index}
}

// NewActivationList converts a list.
func NewActivationList(list []*pb.Activation, index uint64, next string) ActivationList {
	return ActivationList{Activations: each(list, newActivation), AppliedIndex: index, NextPageToken: next}
}

// NewPause converts a pause; nil if there is none.
func NewPause(p *pb.Pause) *Pause {
	if p == nil {
		return nil
	}
	return &Pause{Reason: p.GetReason(), Actor: p.GetActor(), Since: moment(p.GetSince()), Until: moment(p.GetUntil())}
}

func newHold(h *pb.Hold) Hold {
	return Hold{
		Digest: h.GetDigest(), Commit: h.GetCommit(), Reason: h.GetReason(),
		DeploymentID: h.GetDeploymentId(), Since: moment(h.GetSince()),
	}
}

func newServed(s *pb.ServedBy) Served {
	return Served{
		Environment: s.GetEnvironment(), NodeID: s.GetNodeId(), ActivationIndex: s.GetActivationIndex(), Digest: s.GetDigest(),
		Available: s.GetAvailable(), Message: s.GetMessage(),
	}
}

func newActivation(a *pb.Activation) Activation {
	return Activation{
		Index: a.GetIndex(), Epoch: a.GetEpoch(), Kind: a.GetKind(), DeploymentID: a.GetDeploymentId(),
		Commit: a.GetCommit(), Digest: a.GetDigest(), At: moment(a.GetAt()), Reason: a.GetReason(), Actor: a.GetActor(),
	}
}
